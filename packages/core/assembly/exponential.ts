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
  return power(
    x,
    f32x4.splat(smallest),
    f32x4.splat(largest),
    f32x4.splat(1.44269504089),
    f32x4.splat(rounding),
    f32x4.splat(-ln2High),
    f32x4.splat(-ln2Low),
    f32x4.splat(1.0 / 5040.0),
    f32x4.splat(1.0 / 720.0),
    f32x4.splat(1.0 / 120.0),
    f32x4.splat(1.0 / 24.0),
    f32x4.splat(1.0 / 6.0),
    f32x4.splat(0.5),
    f32x4.splat(1),
  );
}

/** {@link exponential} with its constants in all lanes. */
function power(
  x: v128,
  least: v128,
  most: v128,
  log2e: v128,
  round: v128,
  minusLn2High: v128,
  minusLn2Low: v128,
  term7: v128,
  term6: v128,
  term5: v128,
  term4: v128,
  term3: v128,
  half: v128,
  one: v128,
): v128 {
  // A number that is none stays so.
  x = f32x4.pmin(f32x4.pmax(x, least), most);
  const rounded = multiplyAdd(round, x, log2e);
  const n = f32x4.sub(rounded, round);
  let r = multiplyAdd(x, n, minusLn2High);
  r = multiplyAdd(r, n, minusLn2Low);
  let series = multiplyAdd(term6, term7, r);
  series = multiplyAdd(term5, series, r);
  series = multiplyAdd(term4, series, r);
  series = multiplyAdd(term3, series, r);
  series = multiplyAdd(half, series, r);
  series = multiplyAdd(one, series, r);
  series = multiplyAdd(one, series, r);
  // 2^n times a number from 0.7 to 1.5: n goes to its exponent.
  return i32x4.add(series, i32x4.shl(rounded, 23));
}

/**
 * `y = e^((x - shift) * factor)` for whole pairs of vectors, `bytes` in all: they stand side by side, for engines that join
 * them. `y` may be `x`.
 */
export function exponentials(x: usize, y: usize, bytes: usize, shift: f32, factor: f32): void {
  // Constants would be made anew in each turn of the loop; what is computed before it stays in registers.
  const zero = factor - factor;
  const least = f32x4.splat(smallest + zero);
  const most = f32x4.splat(largest + zero);
  const log2e = f32x4.splat(<f32>1.44269504089 + zero);
  const round = f32x4.splat(rounding + zero);
  const minusLn2High = f32x4.splat(-ln2High + zero);
  const minusLn2Low = f32x4.splat(-ln2Low + zero);
  const term7 = f32x4.splat(<f32>(1.0 / 5040.0) + zero);
  const term6 = f32x4.splat(<f32>(1.0 / 720.0) + zero);
  const term5 = f32x4.splat(<f32>(1.0 / 120.0) + zero);
  const term4 = f32x4.splat(<f32>(1.0 / 24.0) + zero);
  const term3 = f32x4.splat(<f32>(1.0 / 6.0) + zero);
  const half = f32x4.splat(<f32>0.5 + zero);
  const one = f32x4.splat(<f32>1 + zero);
  const shifts = f32x4.splat(shift);
  const factors = f32x4.splat(factor);
  const end = x + bytes;
  while (x < end) {
    const low = f32x4.mul(f32x4.sub(v128.load(x), shifts), factors);
    const high = f32x4.mul(f32x4.sub(v128.load(x, 16), shifts), factors);
    // prettier-ignore
    v128.store(y, power(low, least, most, log2e, round, minusLn2High, minusLn2Low, term7, term6, term5, term4, term3, half, one));
    // prettier-ignore
    v128.store(y, power(high, least, most, log2e, round, minusLn2High, minusLn2Low, term7, term6, term5, term4, term3, half, one), 16);
    x += 32;
    y += 32;
  }
}
