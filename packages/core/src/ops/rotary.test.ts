// Rotary embedding against the rotation of pairs (i, i + size / 2).
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { rotaryFactors } from '../model/attention-columns.js';
import { expectOperation, randomValues, relativeDifference } from './operation-check.test-helper.js';
import { halfTurnMatrix, rotary, type RotaryFactors } from './rotary.js';

const [heads, size] = [3, 6];
const frequencies = [1, 0.3, 0.02];
const positions = [
  [0, 1, 7, 4],
  [2, 0, 5, 300],
];

function reference(x: number[]): number[] {
  const half = size / 2;
  return x.map((value, at) => {
    const channel = at % size;
    const token = Math.floor(at / size) % 4;
    const row = Math.floor(at / (size * 4 * heads));
    const angle = positions[row]![token]! * frequencies[channel % half]!;
    const partner = channel < half ? -x[at + half]! : x[at - half]!;
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}

function withFactors<T>(use: (factors: RotaryFactors) => T, of: readonly number[][] = positions): T {
  const halfTurn = halfTurnMatrix(size);
  const factors = rotaryFactors(of, { inverseFrequencies: frequencies, attentionScaling: 1 }, halfTurn);
  try {
    return use(factors);
  } finally {
    tf.dispose([factors.cos, factors.sin, halfTurn]);
  }
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('rotary', () => {
  it('rotates each pair of channels by position times frequency', () => {
    withFactors((factors) => {
      const operation = (x: tf.Tensor) => rotary(x as tf.Tensor4D, factors);
      expectOperation({ inputs: [randomValues([2, heads, 4, size], 1)], operation, reference });
    });
  });

  it('makes the product of two vectors depend on the distance of their positions alone', () => {
    const vectors = [2, 3].map((seed) => [...randomValues([1, 1, 1, size], seed).data]) as [number[], number[]];
    const product = (queryPosition: number, keyPosition: number) =>
      withFactors(
        (factors) =>
          tf.tidy(() => {
            const both = rotary(tf.tensor4d([...vectors[0], ...vectors[1]], [1, 1, 2, size]), factors);
            return tf.sum(tf.prod(both, 2)).dataSync()[0]!;
          }),
        [[queryPosition, keyPosition]],
      );
    expect(relativeDifference([product(13, 9)], [product(4, 0)])).toBeLessThan(1e-5);
    expect(Math.abs(product(13, 8) - product(4, 0))).toBeGreaterThan(1e-2);
  });
});
