import { describe, expect, it } from 'vitest';
import { undoRotaryPermutation } from './rotary-permutation.js';

describe('undoRotaryPermutation', () => {
  it('puts even rows of each head first, then odd ones', () => {
    const rows = Float32Array.of(0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15);
    const restored = undoRotaryPermutation(rows, { heads: 2, shape: [12], name: 'bias' });
    expect([...restored]).toEqual([0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15]);
  });

  it('moves whole rows', () => {
    const restored = undoRotaryPermutation(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), {
      heads: 1,
      shape: [4, 2],
      name: 'weight',
    });
    expect([...restored]).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  });

  it.each([0, 3, 4])('refuses 4 rows for %d heads', (heads) => {
    const attempt = () => undoRotaryPermutation(new Float32Array(4), { heads, shape: [4], name: 'x' });
    expect(attempt).toThrow(/cannot be divided/);
  });
});
