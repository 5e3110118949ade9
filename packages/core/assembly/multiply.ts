// Products with packed weight matrices: panels of eight outputs, in each panel the eight weights of every input in turn.
//
// Weights are stored as `f32`, or as `u16`: bfloat16, the upper halves of floats, as four 32-bit words per input. Word i
// holds output i in its lower half and output i + 4 in its upper half, so that a shift and a mask make floats of them.
import { multiplyAdd, storeLanes } from './lanes';

/**
 * `y[row, output] = sum over inputs of x[row, input] * weight[output, input]`, plus bias, plus what `y` held, for the
 * outputs from `first` (a multiple of eight) to before `end`.
 */
export function multiply<T>(
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  y: usize,
  accumulate: bool,
  first: i32,
  end: i32,
): void {
  const panelBytes = <usize>inputs * sizeof<T>() * 8;
  const xBytes = (<usize>inputs) << 2;
  const yBytes = (<usize>outputs) << 2;
  weights += <usize>(first >> 3) * panelBytes;
  y += (<usize>first) << 2;
  if (bias) bias += (<usize>first) << 2;
  for (let output = first; output < end; output += 8) {
    const width = min(8, end - output);
    let xRow = x;
    let yRow = y;
    let row = 0;
    // The panel stays in the nearest cache for all rows.
    while (row < rows) {
      const count = min(4, rows - row);
      if (count >= 3) multiplyFourRows<T>(xRow, count, inputs, weights, bias, yRow, yBytes, width, accumulate);
      else if (count === 2) multiplyTwoRows<T>(xRow, inputs, weights, bias, yRow, yBytes, width, accumulate);
      else multiplyRow<T>(xRow, inputs, weights, bias, yRow, width, accumulate);
      xRow += xBytes * count;
      yRow += yBytes * count;
      row += count;
    }
    weights += panelBytes;
    y += 32;
    if (bias) bias += 32;
  }
}

/** {@link multiply} of all outputs with weights in float32. */
export function multiplyFloat32(
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  y: usize,
  accumulate: bool,
): void {
  multiply<f32>(x, rows, inputs, weights, bias, outputs, y, accumulate, 0, outputs);
}

/** {@link multiply} of all outputs with weights in bfloat16. */
export function multiplyBfloat16(
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  y: usize,
  accumulate: bool,
): void {
  multiply<u16>(x, rows, inputs, weights, bias, outputs, y, accumulate, 0, outputs);
}

/** Outputs 0 to 3 out of the first 16 bytes of an input. */
function lower<T>(first: v128): v128 {
  return isFloat<T>() ? first : i32x4.shl(first, 16);
}

/** Outputs 4 to 7 of an input whose weights lie at `weights + offset`. */
function upper<T>(first: v128, weights: usize, offset: usize): v128 {
  return isFloat<T>() ? v128.load(weights + offset, 16) : i32x4.shl(i32x4.shr_u(first, 16), 16);
}

/** Adds bias and earlier content where asked to, and stores up to eight outputs. */
function finish(low: v128, high: v128, bias: usize, y: usize, width: i32, accumulate: bool): void {
  if (bias) {
    low = f32x4.add(low, v128.load(bias));
    high = f32x4.add(high, v128.load(bias, 16));
  }
  if (accumulate) {
    low = f32x4.add(low, v128.load(y));
    high = f32x4.add(high, v128.load(y, 16));
  }
  storeLanes(y, low, width);
  storeLanes(y + 16, high, width - 4);
}

/** One row times one panel. Even and odd inputs have sums of their own: an addition need not wait for the one before. */
function multiplyRow<T>(
  x: usize,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  width: i32,
  accumulate: bool,
): void {
  let low0 = f32x4.splat(0);
  let low1 = f32x4.splat(0);
  let high0 = f32x4.splat(0);
  let high1 = f32x4.splat(0);
  const end = x + ((<usize>inputs) << 2);
  const unrolledEnd = x + ((<usize>(inputs & ~3)) << 2);
  while (x < unrolledEnd) {
    const x0 = v128.load32_splat(x);
    const first0 = v128.load(weights);
    low0 = multiplyAdd(low0, lower<T>(first0), x0);
    high0 = multiplyAdd(high0, upper<T>(first0, weights, 0), x0);
    const x1 = v128.load32_splat(x, 4);
    const first1 = v128.load(weights, sizeof<T>() * 8);
    low1 = multiplyAdd(low1, lower<T>(first1), x1);
    high1 = multiplyAdd(high1, upper<T>(first1, weights, sizeof<T>() * 8), x1);
    const x2 = v128.load32_splat(x, 8);
    const first2 = v128.load(weights, sizeof<T>() * 16);
    low0 = multiplyAdd(low0, lower<T>(first2), x2);
    high0 = multiplyAdd(high0, upper<T>(first2, weights, sizeof<T>() * 16), x2);
    const x3 = v128.load32_splat(x, 12);
    const first3 = v128.load(weights, sizeof<T>() * 24);
    low1 = multiplyAdd(low1, lower<T>(first3), x3);
    high1 = multiplyAdd(high1, upper<T>(first3, weights, sizeof<T>() * 24), x3);
    x += 16;
    weights += sizeof<T>() * 32;
  }
  while (x < end) {
    const x0 = v128.load32_splat(x);
    const first0 = v128.load(weights);
    low0 = multiplyAdd(low0, lower<T>(first0), x0);
    high0 = multiplyAdd(high0, upper<T>(first0, weights, 0), x0);
    x += 4;
    weights += sizeof<T>() * 8;
  }
  finish(f32x4.add(low0, low1), f32x4.add(high0, high1), bias, y, width, accumulate);
}

/** Two rows times one panel: each weight is loaded once for both. */
function multiplyTwoRows<T>(
  x0: usize,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  yBytes: usize,
  width: i32,
  accumulate: bool,
): void {
  let low0 = f32x4.splat(0);
  let low1 = f32x4.splat(0);
  let high0 = f32x4.splat(0);
  let high1 = f32x4.splat(0);
  const end = x0 + ((<usize>inputs) << 2);
  let x1 = end;
  while (x0 < end) {
    const first = v128.load(weights);
    const low = lower<T>(first);
    const high = upper<T>(first, weights, 0);
    const a0 = v128.load32_splat(x0);
    low0 = multiplyAdd(low0, low, a0);
    high0 = multiplyAdd(high0, high, a0);
    const a1 = v128.load32_splat(x1);
    low1 = multiplyAdd(low1, low, a1);
    high1 = multiplyAdd(high1, high, a1);
    x0 += 4;
    x1 += 4;
    weights += sizeof<T>() * 8;
  }
  finish(low0, high0, bias, y, width, accumulate);
  finish(low1, high1, bias, y + yBytes, width, accumulate);
}

/** Four rows times one panel, or three: each weight is loaded once for all. */
function multiplyFourRows<T>(
  x0: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  yBytes: usize,
  width: i32,
  accumulate: bool,
): void {
  let low0 = f32x4.splat(0);
  let low1 = f32x4.splat(0);
  let low2 = f32x4.splat(0);
  let low3 = f32x4.splat(0);
  let high0 = f32x4.splat(0);
  let high1 = f32x4.splat(0);
  let high2 = f32x4.splat(0);
  let high3 = f32x4.splat(0);
  const xBytes = (<usize>inputs) << 2;
  const end = x0 + xBytes;
  let x1 = x0 + xBytes;
  let x2 = x1 + xBytes;
  // In place of a fourth row that is not there, the third is computed twice.
  let x3 = rows === 4 ? x2 + xBytes : x2;
  while (x0 < end) {
    const first = v128.load(weights);
    const low = lower<T>(first);
    const high = upper<T>(first, weights, 0);
    const a0 = v128.load32_splat(x0);
    low0 = multiplyAdd(low0, low, a0);
    high0 = multiplyAdd(high0, high, a0);
    const a1 = v128.load32_splat(x1);
    low1 = multiplyAdd(low1, low, a1);
    high1 = multiplyAdd(high1, high, a1);
    const a2 = v128.load32_splat(x2);
    low2 = multiplyAdd(low2, low, a2);
    high2 = multiplyAdd(high2, high, a2);
    const a3 = v128.load32_splat(x3);
    low3 = multiplyAdd(low3, low, a3);
    high3 = multiplyAdd(high3, high, a3);
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
    weights += sizeof<T>() * 8;
  }
  finish(low0, high0, bias, y, width, accumulate);
  finish(low1, high1, bias, y + yBytes, width, accumulate);
  finish(low2, high2, bias, y + yBytes * 2, width, accumulate);
  if (rows === 4) finish(low3, high3, bias, y + yBytes * 3, width, accumulate);
}
