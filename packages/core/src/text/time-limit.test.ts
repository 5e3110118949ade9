// Work within the limit gives its result; what runs on is broken off, also inside of a regular expression.
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { gpt2Pattern } from './known-patterns.js';
import { TimeLimitError, withTimeLimit } from './time-limit.js';

it('gives back what the action gives, and its errors', () => {
  const list = [1];
  expect(withTimeLimit(1000.5, () => list)).toBe(list);
  expect(() =>
    withTimeLimit(1000, () => {
      throw new RangeError('own');
    }),
  ).toThrow(new RangeError('own'));
});

it.each([
  ['a loop', () => { for (;;); }],
  ['a regular expression', () => /(a+)+$/.test(`${'a'.repeat(60)}!`)],
])('breaks off %s', (_, action) => {
  expect(() => withTimeLimit(50, action)).toThrow(TimeLimitError);
}); // prettier-ignore

it('runs again what the machine gave no time to', () => {
  let runs = 0;
  const slowAtFirst = () => {
    // Stands for waiting: the clock below does not see it.
    for (const end = performance.now() + (runs++ === 0 ? 500 : 0); performance.now() < end;);
    return 'done';
  };
  expect(withTimeLimit(50, slowAtFirst, { patience: 20, processorTime: () => 0 })).toBe('done');
  expect(runs).toBe(2);
  runs = 0;
  const working = { patience: 20, processorTime: () => performance.now() };
  expect(() => withTimeLimit(50, slowAtFirst, working)).toThrow(TimeLimitError);
  runs = 0;
  expect(() => withTimeLimit(50, slowAtFirst, { processorTime: () => 0 })).toThrow(TimeLimitError);
});

describe('a tokenizer with a pattern of unknown origin', () => {
  const split = (pattern: string) => ({
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  });

  it('works while the pattern does', () => {
    const [known, unknown] = [gpt2Pattern, ` ?[a-z]+|${gpt2Pattern}`].map((pattern) =>
      smallTokenizer({ json: { pre_tokenizer: split(pattern) } }),
    );
    expect(unknown!.encode('hello, hello 12')).toEqual(known!.encode('hello, hello 12'));
  });

  it('is stopped when it backtracks without end', () => {
    const tokenizer = smallTokenizer({ json: { pre_tokenizer: split('(?:a+)+$|[^a]+') } });
    expect(tokenizer.decode(tokenizer.encode('aaa'))).toBe('aaa');
    expect(() => tokenizer.encode(`${'a'.repeat(60)}!`)).toThrow(/tokenizer[\s\S]*without end[\s\S]*more than/);
  });
});
