// Conversations as training rows: labels, points, limits.
import type { ChatMessage } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from '../text/__fixtures__/small-tokenizer.js';
import { endsWithDelimiter } from '../text/delimiter.js';
import { prepareRow, prepareTurns } from './prepare-row.js';

const tokenizer = smallTokenizer();
const messages: ChatMessage[] = [
  { role: 'user', content: 'hello, what is 1. and 2?' },
  { role: 'assistant', content: 'hello. It is 3.5, or so.\nYes.' },
];

describe('prepareRow', () => {
  it('labels what the assistant says, from where generation would begin', () => {
    const { ids, labels, points } = prepareRow(messages, { tokenizer });
    const first = points[0]!.index;
    expect(points[0]!.kind).toBe('prompt');
    expect(tokenizer.decode(ids.slice(0, first)).endsWith('<|im_start|>assistant\n')).toBe(true);
    expect(labels.slice(0, first).every((label) => label === -100)).toBe(true);
    expect(labels.slice(first)).toEqual(ids.slice(first));
    expect(tokenizer.decode(ids.slice(first))).toMatch(/^hello\. It is 3\.5, or so\.\nYes\.<\|im_end\|>/);
  });

  it('weaves where the text so far ends with a delimiter, inside of the answer only', () => {
    const { ids, points } = prepareRow(messages, { tokenizer, maxInferencePoints: 99 });
    const first = points[0]!.index;
    const expected = ids.flatMap((_, i) =>
      i > first && endsWithDelimiter(tokenizer.decode(ids.slice(0, i))) ? [i] : [],
    );
    expect(points.slice(1).map(({ index }) => index)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(4);
    expect(new Set(points.slice(1).map(({ kind }) => kind))).toEqual(new Set(['inference']));
  });

  it('takes five inference points unless told otherwise', () => {
    const long: ChatMessage[] = [messages[0]!, { role: 'assistant', content: 'a, b, c, d, e, f, g, h.' }];
    expect(prepareRow(long, { tokenizer }).points).toHaveLength(6);
    expect(prepareRow(long, { tokenizer, maxInferencePoints: 2 }).points).toHaveLength(3);
    expect(prepareRow(long, { tokenizer, maxInferencePoints: 0 }).points).toHaveLength(1);
  });

  it('takes ends of sentences only under the rule for them', () => {
    const { ids, points } = prepareRow(messages, { tokenizer, delimiterRule: 'sentence', maxInferencePoints: 99 });
    const texts = points.slice(1).map(({ index }) => tokenizer.decode(ids.slice(points[0]!.index, index)));
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => /[,\d]\.?$/.test(text))).toEqual([]);
  });

  it('cuts off the end of what is too long, and names the row when nothing is left to learn', () => {
    const whole = prepareRow(messages, { tokenizer });
    const cut = prepareRow(messages, { tokenizer, maxLength: whole.ids.length - 5 });
    expect(cut.ids).toEqual(whole.ids.slice(0, -5));
    expect(() => prepareRow(messages, { tokenizer, maxLength: 12, name: 'train.jsonl:3' })).toThrow(
      expect.objectContaining({ code: 'labels-empty', where: 'train.jsonl:3' }),
    );
  });

  it('leaves room for the latents of every point in the context', () => {
    const whole = prepareRow(messages, { tokenizer, maxInferencePoints: 2 });
    const latentCounts = { prompt: 3, inference: 2 };
    const taken = whole.ids.length + 3 + 2 * 2;
    const prepare = (contextLength: number, maxInferencePoints = 2) =>
      prepareRow(messages, { tokenizer, maxInferencePoints, contextLength, latentCounts });
    expect(prepare(taken)).toEqual(whole);
    expect(prepare(taken - 1).ids).toEqual(whole.ids.slice(0, -1));
    expect(prepareRow(messages, { tokenizer, contextLength: whole.ids.length }).ids).toEqual(whole.ids);
    // At most one point for each token, however many are allowed.
    expect(prepare(3 + 3 * whole.ids.length, Infinity).ids).toEqual(whole.ids);
    expect(() => prepare(3)).toThrow(
      expect.objectContaining({ code: 'context-length', expected: expect.stringContaining('3 positions') }),
    );
  });

  it('refuses a conversation of several answers', () => {
    expect(() => prepareRow([...messages, ...messages], { tokenizer })).toThrow(
      expect.objectContaining({ code: 'label-mask' }),
    );
  });
});

describe('prepareTurns', () => {
  it('gives a row for each answer, which reads what came before and weaves in its own answer only', () => {
    const more: ChatMessage[] = [
      ...messages,
      { role: 'user', content: 'more.' },
      { role: 'assistant', content: 'a, b.' },
    ];
    const [first, second, ...others] = prepareTurns(more, { tokenizer, maxInferencePoints: 3 });
    expect(others).toEqual([]);
    const one = prepareRow(messages, { tokenizer, maxInferencePoints: 3 });
    expect(first!.points).toEqual(one.points);
    expect(first!.ids).toEqual(one.ids.slice(0, first!.ids.length));
    const start = second!.points[0]!.index;
    expect(tokenizer.decode(second!.ids.slice(0, start))).toMatch(
      /Yes\.<\|im_end\|>\n<\|im_start\|>user\nmore\..*assistant\n$/s,
    );
    expect(second!.labels.slice(0, start).every((label) => label === -100)).toBe(true);
    expect(tokenizer.decode(second!.labels.slice(start))).toMatch(/^a, b\./);
    expect(second!.points.map(({ kind }) => kind)).toEqual(['prompt', 'inference', 'inference']);
  });
});
