// Units and rounding of byte counts.
import { expect, it } from 'vitest';
import { readableBytes } from './readable-bytes.js';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [27_909, '27.9 kB'],
  [999_949, '999.9 kB'],
  [999_960, '1.0 MB'],
  [2_145_000_000, '2.1 GB'],
  [19e12, '19000.0 GB'],
])('%d is %s', (bytes, text) => {
  expect(readableBytes(bytes)).toBe(text);
});
