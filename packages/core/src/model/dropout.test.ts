// Seeded dropout: the same mask for the same seed, the right rate, the right scale.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { drop, dropoutMask } from './dropout.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

function maskOf(rate: number, seed: number, size = 20_000): Float32Array {
  return tf.tidy(() => dropoutMask<tf.Rank.R1>([size], rate, seed)!.dataSync() as Float32Array);
}

function kept(mask: Float32Array): number {
  return mask.filter((value) => value !== 0).length / mask.length;
}

describe('dropout', () => {
  it('gives the same mask for the same seed and another for another', () => {
    expect(maskOf(0.3, 7)).toEqual(maskOf(0.3, 7));
    expect(maskOf(0.3, 7)).not.toEqual(maskOf(0.3, 8));
  });

  it.each([0.05, 0.1, 0.5, 0.9])('drops a part of %d and scales what it keeps, so that the mean stays', (rate) => {
    for (const seed of [0, 1, 12345, 4294967295, -3, 1_000_003 * 5]) {
      const mask = maskOf(rate, seed);
      // Five standard deviations.
      expect(Math.abs(kept(mask) - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / mask.length));
      expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    }
  });

  it('draws independent masks for neighbouring seeds', () => {
    const masks = [100, 101, 102].map((seed) => maskOf(0.5, seed));
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const) {
      const both = masks[a]!.filter((value, i) => value !== 0 && masks[b]![i] !== 0).length / masks[a]!.length;
      expect(Math.abs(both - 0.25)).toBeLessThan(0.02);
    }
  });

  it('fills odd numbers of units', () => {
    const mask = maskOf(0.5, 1, 1001);
    expect(mask).toHaveLength(1001);
    expect(mask.subarray(0, 1000)).toEqual(maskOf(0.5, 1, 1000));
  });

  it('draws the two units of a number independently', () => {
    const mask = maskOf(0.5, 9);
    const both = mask.filter((value, i) => i % 2 === 0 && value !== 0 && mask[i + 1] !== 0).length / (mask.length / 2);
    expect(Math.abs(both - 0.25)).toBeLessThan(0.02);
  });

  it('does nothing at rate 0', () => {
    const x = tf.ones([3]);
    expect(dropoutMask([3], 0, 1)).toBeUndefined();
    expect(drop(x, undefined)).toBe(x);
    x.dispose();
  });

  it('passes the gradient through the same mask', () => {
    const mask = maskOf(0.4, 3, 50);
    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) => drop(x, dropoutMask([50], 0.4, 3)))(tf.zeros([50]))
        .dataSync(),
    );
    expect(gradient).toEqual(mask);
  });
});
