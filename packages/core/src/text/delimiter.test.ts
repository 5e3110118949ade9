// Delimiters: the rule of the reference, and ends of sentences.
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { delimiterPlaces } from './delimiter-places.js';
import { endsWithDelimiter } from './delimiter.js';

describe('endsWithDelimiter', () => {
  it('knows comma, period and newline', () => {
    expect(['a,', 'a.', 'a\n'].map((text) => endsWithDelimiter(text))).toEqual([true, true, true]);
    expect(['a', '', 'a, ', 'a;', 'a。', 'a\r'].some((text) => endsWithDelimiter(text))).toBe(false);
  });

  it('counts every delimiter under the reference rule, whatever was there before', () => {
    expect(endsWithDelimiter('3.', 'reference', '3')).toBe(true);
    expect(endsWithDelimiter('a..', 'reference', 'a.')).toBe(true);
  });

  it('is after every token under the rule of that name', () => {
    expect(['a', ',', ''].map((text) => endsWithDelimiter(text, 'token'))).toEqual([true, true, true]);
  });

  it.each([
    ['The end', '.', true],
    ['Really', '?', true],
    ['Stop', '!', true],
    ['a line', '\n', true],
    ['He said "Go', '."', true],
    ['(It works', '.)', true],
    ['and so on, etc', '.', true],
    ['he is small', '.', true],
    ['so', ',', false],
    ['a', ';', false],
    ['3', '.', false],
    ['1', ',', false],
    ['Step 1', '.', false],
    ['It costs 3.', '\n', true],
    ['e', '.', false],
    ['e.g', '.', false],
    ['J', '.', false],
    ['Dr', '.', false],
    [' (Fig', '.', false],
    ['the first', '.', true],
    ['3.', '14', false],
    ['word', ' x', false],
    ['Wait', '...', true],
    ['Wait.', '.', false],
    ['What?', '!', false],
    ['End.', '\n', false],
    ['End', '.\n', true],
    ['End. ', '\n', false],
    ['line\n', '\n', false],
    ['line\n  ', '\n', false],
    ['End.', '"', false],
    ['', '.', true],
  ])('under the sentence rule %j followed by %j gives %s', (before, token, expected) => {
    expect(endsWithDelimiter(before + token, 'sentence', before)).toBe(expected);
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

  it('marks ends of sentences once under that rule', () => {
    expect(cut('3.1, two... b!\n\nso it is.', 'sentence')).toEqual(['3.1, two.', '3.1, two... b!', '3.1, two... b!\n\nso it is.']); // prettier-ignore
  });

  it('has one more place than tokens, the first before everything', () => {
    expect(delimiterPlaces(tokenizer, tokenizer.encode(',h'))).toEqual([false, true, false]);
    expect(delimiterPlaces(tokenizer, [])).toEqual([false]);
  });
});
