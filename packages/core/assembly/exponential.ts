// The exponential function of four floats.
import { multiplyAdd } from './lanes';

// Where both the result and the powers of two it is made of are ordinary floats.
const largest: f32 = 88.37;
const smallest: f32 = -87.33;
// ln 2 as a float of few bits, whose products with whole numbers are exact, and the rest.
const ln2High: f32 = 0.693359375;
const ln2Low: f32 = -2.1219444e-4;

/**
 * `e^x` per lane with a relative error below 3e-7 for x in [-87.3, 88.3]; beyond, that of the nearest end.
 * x = n ln 2 + r with |r| <= ln 2 / 2; the Taylor series of degree 7 gives e^r, the exponent bits 2^n.
 */
export function exponential(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(smallest)), f32x4.splat(largest));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504089)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(ln2High)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(ln2Low)));
  let series = f32x4.splat(1.0 / 5040.0);
  series = multiplyAdd(f32x4.splat(1.0 / 720.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 120.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 24.0), series, r);
  series = multiplyAdd(f32x4.splat(1.0 / 6.0), series, r);
  series = multiplyAdd(f32x4.splat(0.5), series, r);
  series = multiplyAdd(f32x4.splat(1), series, r);
  series = multiplyAdd(f32x4.splat(1), series, r);
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(series, power);
}

/** {@link exponential} of `count` floats, four at a time: `x` and `y` hold a multiple of four. */
export function exponentials(x: usize, y: usize, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) v128.store(y + i, exponential(v128.load(x + i)));
}
