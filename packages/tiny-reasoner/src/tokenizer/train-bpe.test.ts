// Tests of the byte-pair trainer.
import { expect, it } from 'vitest';
import { preTokens } from './pre-tokens.js';
import { trainBytePairs } from './train-bpe.js';

it('merges the most frequent pair first and stops when all pieces are whole', () => {
  const { tokens, merges } = trainBytePairs(new Map([[' low', 5], [' lot', 3], ['x', 9]]), 1000); // prettier-ignore
  expect(merges[0]).toEqual(['l', 'o']);
  expect(tokens).toHaveLength(256 + merges.length);
  expect(tokens).toEqual(expect.arrayContaining(['Ġlow', 'Ġlot']));
});

it('breaks ties by the pair that sorts first, whatever the order of the pieces', () => {
  const pieces: [string, number][] = [['ab', 1], ['cd', 1], ['ef', 1]]; // prettier-ignore
  const forward = trainBytePairs(new Map(pieces), 258);
  expect(forward.merges).toEqual([['a', 'b'], ['c', 'd']]); // prettier-ignore
  expect(trainBytePairs(new Map(pieces.toReversed()), 258)).toEqual(forward);
});

it('cuts text into numbers, words and marks that add up to it', () => {
  expect(preTokens('It is 9:05, 1234 x\n')).toEqual(['It', ' is', ' 9', ':', '05', ',', ' 123', '4', ' x', '\n']);
});
