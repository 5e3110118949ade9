// Log-probabilities against the softmax written down, and the k-th largest against sorting.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kthLargest } from './kth-largest.js';
import { logSumExpOf, topTokens } from './log-probabilities.js';

const numbers = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 60 });

describe('log-probabilities', () => {
  it('are those of the softmax, likeliest first, smaller ids first among equals', () => {
    fc.assert(
      fc.property(numbers, fc.nat(70), (values, count) => {
        const total = values.reduce((sum, value) => sum + Math.exp(value / 4), 0);
        const expected = values
          .map((value, id) => ({ id, logProbability: value / 4 - Math.log(total) }))
          .sort((a, b) => b.logProbability - a.logProbability || a.id - b.id)
          .slice(0, count);
        const logits = Float32Array.from(values, (value) => value / 4);
        const got = topTokens(logits, count, logSumExpOf(logits));
        expect(got.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        got.forEach(({ logProbability }, i) => {
          expect(logProbability).toBeCloseTo(expected[i]!.logProbability, 9);
        });
      }),
    );
  });

  it('stand large and infinite logits', () => {
    expect(logSumExpOf(Float32Array.of(1000, 1000, -Infinity))).toBeCloseTo(1000 + Math.log(2), 9);
  });
});

describe('kthLargest', () => {
  it('is what sorting finds', () => {
    fc.assert(
      fc.property(numbers, fc.nat(59), (values, place) => {
        const k = (place % values.length) + 1;
        expect(kthLargest(Float32Array.from(values), k)).toBe([...values].sort((a, b) => b - a)[k - 1]);
      }),
    );
  });
});
