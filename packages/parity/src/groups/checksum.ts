// Checksums of a parameter: sums in double precision and its first and last values.
import { z } from 'zod';

export const checksumSchema = z.object({
  sum: z.number(),
  abs_sum: z.number(),
  sq_sum: z.number(),
  first: z.array(z.number()),
  last: z.array(z.number()),
});

const ends = 4;

/** `[sum, sum of magnitudes, sum of squares, ...first values, ...last values]`. */
export function checksum(values: Float32Array): number[] {
  let sum = 0;
  let magnitudes = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    magnitudes += Math.abs(value);
    squares += value * value;
  }
  return [sum, magnitudes, squares, ...values.slice(0, ends), ...values.slice(-ends)];
}

/** What a difference of `limits[i]` in each value allows in its {@link checksum}. */
export function checksumLimits(values: Float32Array, limits: Float64Array): number[] {
  let sum = 0;
  let squares = 0;
  limits.forEach((limit, i) => {
    sum += limit;
    squares += 2 * Math.abs(values[i]!) * limit + limit * limit;
  });
  return [sum, sum, squares, ...limits.slice(0, ends), ...limits.slice(-ends)];
}
