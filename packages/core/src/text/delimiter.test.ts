import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { delimiterPlaces } from './delimiter-places.js';
import { endsWithDelimiter, needsLookAhead } from './delimiter.js';

describe('endsWithDelimiter', () => {
  it('knows comma, period and newline', () => {
    expect(['a,', 'a.', 'a\n'].map((text) => endsWithDelimiter(text))).toEqual([true, true, true]);
    expect(['a', '', 'a, ', 'a;', 'a。', 'a\r'].some((text) => endsWithDelimiter(text))).toBe(false);
  });

  it('ignores what follows under the reference rule', () => {
    expect(endsWithDelimiter('3.', 'reference', '14')).toBe(true);
  });

  it.each([
    ['3.', '14', false],
    ['1,', '000', false],
    ['example.', 'com', false],
    ['..', '.', false],
    ['End.', '\n', false],
    ['\n', '\n', false],
    ['End.', ' Next', true],
    ['End.', '"', true],
    ['so,', ' then', true],
    ['End.', '', true],
    ['line\n', '3', true],
    ['line\n', ' x', true],
    ['word', ' x', false],
  ])('under the sentence rule %j before %j gives %s', (text, next, expected) => {
    expect(endsWithDelimiter(text, 'sentence', next)).toBe(expected);
  });

  it('needs a look-ahead only after a delimiter and only under the sentence rule', () => {
    expect(needsLookAhead('3.', 'sentence')).toBe(true);
    expect(needsLookAhead('3', 'sentence')).toBe(false);
    expect(needsLookAhead('3.', 'reference')).toBe(false);
  });
});

describe('delimiterPlaces', () => {
  const tokenizer = smallTokenizer();
  const cut = (text: string, rule: 'reference' | 'sentence') => {
    const ids = tokenizer.encode(text);
    return delimiterPlaces(tokenizer, ids, { rule }).flatMap((isPlace, i) =>
      isPlace ? [tokenizer.decode(ids.slice(0, i))] : [],
    );
  };

  it('marks every prefix that ends with a delimiter', () => {
    expect(cut('3.1, a.\nb', 'reference')).toEqual(['3.', '3.1,', '3.1, a.', '3.1, a.\n']);
  });

  it('looks ahead under the sentence rule', () => {
    expect(cut('3.1, a... b.', 'sentence')).toEqual(['3.1,', '3.1, a...', '3.1, a... b.']);
  });

  it('has one more place than tokens, the first before everything', () => {
    expect(delimiterPlaces(tokenizer, tokenizer.encode(',h'))).toEqual([false, true, false]);
    expect(delimiterPlaces(tokenizer, [])).toEqual([false]);
  });
});
