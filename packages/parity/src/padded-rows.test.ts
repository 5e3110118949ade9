import { expect, it } from 'vitest';
import { atPlaces, atRealTokens, realTokens } from './padded-rows.js';

const mask = [[0, 1, 1], [1, 1, 0]]; // prettier-ignore

it('takes the padding off rows on either side', () => {
  expect(realTokens([[9, 1, 2], [3, 4, 9]], mask)).toEqual([
    { columns: [1, 2], ids: [1, 2] },
    { columns: [0, 1], ids: [3, 4] },
  ]); // prettier-ignore
});

it('picks the values of real tokens', () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i);
  expect([...atRealTokens(values, mask)]).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...atPlaces(values, [5, 0], 2)]).toEqual([10, 11, 0, 1]);
});
