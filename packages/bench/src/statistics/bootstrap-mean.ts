// Mean of measurements with a bootstrap interval.
import { MemGenError, type Random } from '@memgen/common';
import type { Interval } from './wilson-interval.js';

export interface MeanEstimate extends Interval {
  mean: number;
  n: number;
}

/**
 * Mean with a percentile bootstrap interval. For a paired difference of two arms, pass the differences row by row.
 *
 * @param random - stream that draws the resamples.
 * @param resamples - default 2000.
 * @param confidence - default 0.95.
 * @throws MemGenError `statistics-input` for no values.
 */
export function bootstrapMean(
  values: readonly number[],
  { random, resamples = 2000, confidence = 0.95 }: { random: Random; resamples?: number; confidence?: number },
): MeanEstimate {
  const n = values.length;
  if (n === 0) throw new MemGenError({ code: 'statistics-input', message: 'the mean of no values is not defined' });
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.int(n)]!;
    return sum / n;
  }).sort();
  const tail = (1 - confidence) / 2;
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / n,
    n,
    low: quantile(means, tail),
    high: quantile(means, 1 - tail),
  };
}

/** Linear between order statistics. */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}
