// Seeded dropout whose mask depends on a seed alone, so that recomputing a layer drops the same units.
import * as tf from '@tensorflow/tfjs';

/**
 * What to multiply with: 0 with probability `rate` (to 1/65536), else 1 / (1 - rate). Undefined where nothing is dropped.
 * @param seed - any integer; equal seeds give equal masks (xorshift32, two units from each number).
 */
export function dropoutMask<R extends tf.Rank>(
  shape: tf.ShapeMap[R],
  rate: number,
  seed: number,
): tf.Tensor<R> | undefined {
  if (rate === 0) return undefined;
  const mask = new Float32Array(tf.util.sizeFromShape(shape));
  // Written as bits, without a branch that the processor would have to guess: all ones where a unit stays.
  const bits = new Int32Array(mask.buffer);
  const keep = new Int32Array(Float32Array.of(1 / (1 - rate)).buffer)[0]!;
  const threshold = Math.round(rate * 2 ** 16);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667) | 1;
  for (let i = 0; i < bits.length; i += 2) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bits[i] = keep & ~(((state & 0xffff) - threshold) >> 31);
    // Past an odd end this writes nothing.
    bits[i + 1] = keep & ~(((state >>> 16) - threshold) >> 31);
  }
  return tf.tensor(mask, shape);
}

/** Zeroes units of `x` and scales the others, by a mask. */
export function drop<T extends tf.Tensor>(x: T, mask: tf.Tensor | undefined): T {
  return mask === undefined ? x : tf.mul(x, mask);
}
