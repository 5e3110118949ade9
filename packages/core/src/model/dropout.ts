// Seeded dropout whose mask depends on a seed alone, so that recomputing a layer drops the same units.
import * as tf from '@tensorflow/tfjs';

/**
 * Zeroes entries of `x` with probability `rate` and scales the rest by 1 / (1 - rate).
 * @param seed - any integer; equal seeds give equal masks (xorshift32).
 */
export function seededDropout<T extends tf.Tensor>(x: T, rate: number, seed: number): T {
  if (rate === 0) return x;
  const mask = new Float32Array(x.size);
  const keep = 1 / (1 - rate);
  const threshold = rate * 2 ** 32;
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667) | 1;
  for (let i = 0; i < mask.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    mask[i] = state >>> 0 >= threshold ? keep : 0;
  }
  return tf.mul(x, tf.tensor(mask, x.shape)) as T;
}
