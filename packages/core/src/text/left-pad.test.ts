import { expect, it } from 'vitest';
import { padLeft } from './left-pad.js';

it('pads on the left to the longest', () => {
  expect(padLeft([[5], [6, 7, 8], []], 9)).toEqual({
    ids: [
      [9, 9, 5],
      [6, 7, 8],
      [9, 9, 9],
    ],
    attentionMask: [
      [0, 0, 1],
      [1, 1, 1],
      [0, 0, 0],
    ],
  });
  expect(padLeft([], 0)).toEqual({ ids: [], attentionMask: [] });
});
