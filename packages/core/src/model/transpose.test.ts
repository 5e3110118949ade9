// Transposition into a part of a wider matrix.
import { describe, expect, it } from 'vitest';
import { transposeInto } from './transpose.js';

describe('transposeInto', () => {
  it('writes the transpose at its offset and nothing else', () => {
    const source = Float32Array.of(1, 2, 3, 4, 5, 6);
    const target = new Float32Array(3 * 5).fill(-1);
    transposeInto(source, 2, 3, target, 5, 2);
    expect([...target]).toEqual([-1, -1, 1, 4, -1, -1, -1, 2, 5, -1, -1, -1, 3, 6, -1]);
  });

  it.each([
    [33, 70],
    [64, 32],
    [1, 65],
    [65, 1],
  ])('goes over the edges of its blocks: %i x %i', (rows, columns) => {
    const source = Float32Array.from({ length: rows * columns }, (_, i) => i + 1);
    const target = new Float32Array(rows * columns);
    transposeInto(source, rows, columns, target, rows, 0);
    const wrong = target.findIndex((value, at) => value !== source[(at % rows) * columns + Math.floor(at / rows)]);
    expect(wrong).toBe(-1);
  });
});
