// Rows side by side and in pieces.
import { expect, it } from 'vitest';
import { padRows, sliceColumns } from './pad-rows.js';
import { packRows, unpackRows } from './row-vectors.js';

const rows = [Float32Array.of(1, 2, 3, 4, 5, 6), undefined, Float32Array.of(7, 8)];

it('pads on the left, rows that take no part whole', () => {
  expect(padRows(rows, 2)).toEqual({
    values: Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8),
    width: 3,
    mask: [
      [1, 1, 1],
      [0, 0, 0],
      [0, 0, 1],
    ],
  });
});

it('takes columns out of all rows', () => {
  expect(sliceColumns(padRows(rows, 2), 2, 1, 3)).toEqual({
    values: Float32Array.of(3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 7, 8),
    width: 2,
    mask: [
      [1, 1],
      [0, 0],
      [0, 1],
    ],
  });
});

it('packs rows one after the other, and takes them apart again', () => {
  const packed = packRows(rows);
  expect(packed).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(unpackRows(packed, [6, undefined, 2])).toEqual(rows);
});
