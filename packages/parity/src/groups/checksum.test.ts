import { expect, it } from 'vitest';
import { checksum, checksumLimits } from './checksum.js';

const values = Float32Array.of(1, -2, 3, -4, 5);

it('sums, and shows both ends', () => {
  expect(checksum(values)).toEqual([3, 15, 55, 1, -2, 3, -4, -2, 3, -4, 5]);
  expect(checksum(Float32Array.of(7))).toEqual([7, 7, 49, 7, 7]);
});

it('allows what the differences of the values can add up to', () => {
  const limits = Float64Array.of(0.1, 0.2, 0.1, 0, 0.1);
  const changed = values.map((value, i) => value + Math.sign(value) * limits[i]!);
  const allowed = checksumLimits(values, limits);
  const before = checksum(values);
  checksum(changed).forEach((sum, i) => {
    expect(Math.abs(sum - before[i]!)).toBeLessThanOrEqual(allowed[i]! + 1e-5);
  });
  expect(allowed[0]).toBeCloseTo(0.5);
  // Every value moved outwards, which is as far as the sums of magnitudes and squares can go.
  expect(allowed[1]).toBeCloseTo(checksum(changed)[1]! - 15, 5);
  expect(allowed[2]).toBeCloseTo(checksum(changed)[2]! - 55, 5);
});
