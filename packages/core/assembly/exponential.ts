// The exponential function of four floats.
import { multiplyAdd } from './lanes';

// Where both the result and the powers of two it is made of are ordinary floats.
const largest: f32 = 88.37;
const smallest: f32 = -87.33;
// ln 2 as a float of few bits, whose products with whole numbers are exact, and the rest.
const ln2High: f32 = 0.693359375;
const ln2Low: f32 = -2.1219444e-4;

/** A float so large that its last bit is worth one: what is added to it is rounded to a whole number, in its lowest bits. */
const rounding: f32 = 12582912;

/**
 * `e^x` per lane with a relative error below 3e-7 for x in [-87.3, 88.3]; beyond, that of the nearest end.
 * x = n ln 2 + r with |r| <= ln 2 / 2; the Taylor series of degree 7 gives e^r, the exponent bits 2^n.
 */
export function exponential(x: v128): v128 {
  // A number that is none stays so.
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(smallest)), f32x4.splat(largest));
  const rounded = multiplyAdd(f32x4.splat(rounding), x, f32x4.splat(1.44269504089));
  const n = f32x4.sub(rounded, f32x4.splat(rounding));
  let r = multiplyAdd(x, n, f32x4.splat(-ln2High));
  r = multiplyAdd(r, n, f32x4.splat(-ln2Low));
  let series = f32x4.splat(1.0 / 5040.0);
  series = multiplyAdd(f32x4.splat(1.0 / 720.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 120.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 24.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 6.0), series, r);
  series = multiplyAdd(f32x4.splat(0.5), series, r);
  series = multiplyAdd(f32x4.splat(1), series, r);
  series = multiplyAdd(f32x4.splat(1), series, r);
  // 2^n times a number from 0.7 to 1.5: n goes to its exponent.
  return i32x4.add(series, i32x4.shl(rounded, 23));
}

/** {@link exponential} of `count` floats, four at a time: `x` and `y` hold a multiple of four. */
export function exponentials(x: usize, y: usize, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) v128.store(y + i, exponential(v128.load(x + i)));
}
