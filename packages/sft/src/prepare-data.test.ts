// From words to rows: labels on the assistant's words alone, the filter by length and what it says.
import { Random } from '@memgen/common';
import { encodeConversation, prepareRow, Tokenizer, type PlainSequence } from '@memgen/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelFolder } from '../../tiny-reasoner/src/index.js';
import { prepareSequences, prepareWovenRows, type SftExample } from './prepare-data.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await Tokenizer.fromFolder(modelFolder());
});

const pair: SftExample = { prompt: 'What is 3 + 4?', completion: '7. Done.' };
const talk: SftExample = {
  name: 'talk',
  messages: [
    { role: 'user', content: 'Hi.' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'user', content: 'What is 3 + 4?' },
    { role: 'assistant', content: 'It is 7.' },
  ],
};
const long: SftExample = { name: 'long', prompt: 'Count.', completion: '1 2 3 4 5 6 7 8 9 '.repeat(20) };
const longPrompt: SftExample = { name: 'long prompt', prompt: '1 2 3 4 5 6 7 8 9 '.repeat(20), completion: 'Yes.' };

const learnt = ({ labels }: PlainSequence) => tokenizer.decode(labels.filter((label) => label >= 0));

describe('prepareSequences', () => {
  it("supervises every answer and its end, and nothing of the user's or the headers", () => {
    const { rows, leftOut, note } = prepareSequences([pair, talk], { tokenizer });
    expect(rows.map(learnt)).toEqual(['7. Done.<|im_end|>\n', 'Hello.<|im_end|>\nIt is 7.<|im_end|>\n']);
    expect([leftOut, note]).toEqual([[], undefined]);
    const messages = [
      { role: 'user', content: 'What is 3 + 4?' },
      { role: 'assistant', content: '7. Done.' },
    ] as const;
    expect(rows[0]!.ids).toEqual(encodeConversation(messages, { tokenizer }).ids);
  });

  it('puts a system message first', () => {
    const [row] = prepareSequences([{ ...pair, system: 'Be brief.' }], { tokenizer }).rows;
    expect(tokenizer.decode(row!.ids)).toMatch(/^<\|im_start\|>system\nBe brief\.<\|im_end\|>\n<\|im_start\|>user/);
  });

  it('leaves long rows out, counts them and says so', () => {
    const { rows, leftOut, note } = prepareSequences([pair, long, longPrompt], { tokenizer, maxLength: 60 });
    expect(rows).toHaveLength(1);
    expect(leftOut.map(({ example, name }) => [example, name])).toEqual([[1, 'long'], [2, 'long prompt']]); // prettier-ignore
    const longest = Math.max(...leftOut.map(({ tokens }) => tokens!));
    expect(longest).toBeGreaterThan(60);
    expect(note).toBe(
      `2 of 3 rows were left out: they are longer than 60 tokens (the longest has ${longest}): long, long prompt`,
    );
  });

  it('cuts them instead, as the reference does; a prompt that fills the limit still goes', () => {
    const { rows, note } = prepareSequences([long, longPrompt], { tokenizer, maxLength: 60, tooLong: 'truncate' });
    expect(rows.map(({ ids }) => ids.length)).toEqual([60]);
    expect(note).toBe('1 of 2 rows were left out: their prompts fill the 60 tokens: long prompt');
  });

  it('refuses an example without an answer, by name', () => {
    const messages = [{ role: 'user', content: 'Hi.' }] as const;
    for (const tooLong of ['leave-out', 'truncate'] as const) {
      expect(() => prepareSequences([pair, { name: 'silent', messages }], { tokenizer, tooLong })).toThrow(
        expect.objectContaining({ code: 'labels-empty', where: 'silent' }),
      );
    }
  });
});

describe('prepareWovenRows', () => {
  it('makes the row of prepareRow of one answer', () => {
    const messages = [
      { role: 'user', content: 'What is 3 + 4?' },
      { role: 'assistant', content: '7. Done.' },
    ] as const;
    for (const maxInferencePoints of [0, 5]) {
      const { rows } = prepareWovenRows([pair], { tokenizer, maxInferencePoints });
      expect(rows).toEqual([prepareRow(messages, { tokenizer, maxInferencePoints })]);
    }
  });

  it('makes a row of each answer, or of some', () => {
    const { rows } = prepareWovenRows([talk, pair], { tokenizer });
    expect(rows.map(learnt)).toEqual(['Hello.<|im_end|>\n', 'It is 7.<|im_end|>\n', '7. Done.<|im_end|>\n']);
    expect(rows.every(({ points }) => points[0]!.kind === 'prompt')).toBe(true);
    const maxTurns = { count: 1, random: Random.fromSeed(1) };
    const chosen = prepareWovenRows([talk, pair], { tokenizer, maxTurns }).rows;
    expect(chosen).toHaveLength(2);
    expect(prepareWovenRows([talk, pair], { tokenizer, maxTurns }).rows).toEqual(chosen);
  });

  it('leaves out the turns that are too long alone', () => {
    const [first, second] = prepareWovenRows([talk], { tokenizer }).rows;
    const { rows, note } = prepareWovenRows([talk], { tokenizer, maxLength: first!.ids.length });
    expect(rows).toEqual([first]);
    expect(note).toContain(`1 of 2 rows were left out: they are longer than ${first!.ids.length} tokens`);
    expect(note).toContain(`has ${second!.ids.length}`);
  });
});
