// Products with packed weight matrices: panels of sixteen outputs, in each panel the sixteen weights of every input in turn.
//
// Weights are stored as `f32`, or as `u16`: bfloat16, the upper halves of floats, as eight 32-bit words per input. Word i
// holds output i in its lower half and output i + 8 in its upper half, so that a shift and a mask make floats of them.
import { multiplyAdd, storeLanes } from './lanes';

const panelOutputs: i32 = 16;
/** Bytes of a panel's outputs, and of a quarter of them: a vector. */
const panelRowBytes: usize = 64;
const vectorBytes: usize = 16;

/**
 * `y[row, output] = sum over inputs of x[row, input] * weight[output, input]`, plus bias, plus what `y` held, for the
 * outputs from `first` (a multiple of sixteen) to before `end`. Each sum is taken in the order of the inputs, earlier content
 * and bias last, so a row's results do not depend on how many others there are.
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
  const panelBytes = <usize>inputs * sizeof<T>() * panelOutputs;
  const xBytes = (<usize>inputs) << 2;
  const yBytes = (<usize>outputs) << 2;
  weights += <usize>(first / panelOutputs) * panelBytes;
  y += (<usize>first) << 2;
  if (bias) bias += (<usize>first) << 2;
  for (let output = first; output < end; output += panelOutputs) {
    const width = min(panelOutputs, end - output);
    multiplyPanel<T>(x, xBytes, rows, inputs, weights, bias, y, yBytes, width, accumulate);
    weights += panelBytes;
    y += panelRowBytes;
    if (bias) bias += panelRowBytes;
  }
}

/** {@link multiply} of a panel, which stays in the nearer caches for all rows. */
function multiplyPanel<T>(
  x: usize,
  xBytes: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  yBytes: usize,
  width: i32,
  accumulate: bool,
): void {
  let row = 0;
  if (WIDE_VECTORS && width === panelOutputs) {
    for (; row + 4 <= rows; row += 4) {
      if (isFloat<T>()) fourRowsFloat32(x, xBytes, inputs, weights, y, yBytes, accumulate);
      else fourRowsBfloat16(x, xBytes, inputs, weights, y, yBytes, accumulate);
      if (bias) addBias(bias, y, yBytes);
      x += xBytes << 2;
      y += yBytes << 2;
    }
  }
  for (; row + 2 <= rows; row += 2) {
    multiplyTwoRows<T>(x, xBytes, inputs, weights, bias, y, yBytes, width, accumulate);
    x += xBytes << 1;
    y += yBytes << 1;
  }
  if (row < rows) multiplyRow<T>(x, inputs, weights, bias, y, width, accumulate);
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

/** A quarter of an input's weights: outputs `4 * quarter` to `4 * quarter + 3`. */
function quarterOf<T>(weights: usize, quarter: usize): v128 {
  if (isFloat<T>()) return v128.load(weights + vectorBytes * quarter);
  const words = v128.load(weights + vectorBytes * (quarter & 1));
  return quarter < 2 ? i32x4.shl(words, 16) : i32x4.shl(i32x4.shr_u(words, 16), 16);
}

/** Adds earlier content and bias where asked to, and stores a quarter of a panel, of which `width` outputs are there. */
function finish(sum: v128, quarter: usize, bias: usize, y: usize, width: i32, accumulate: bool): void {
  const offset = vectorBytes * quarter;
  const present = width - 4 * <i32>quarter;
  if (present <= 0) return;
  if (accumulate) sum = f32x4.add(sum, v128.load(y + offset));
  if (bias) sum = f32x4.add(sum, v128.load(bias + offset));
  storeLanes(y + offset, sum, present);
}

/** One row times one panel: its four sums are enough, for what takes the time is reading the weights. */
function multiplyRow<T>(
  x: usize,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  width: i32,
  accumulate: bool,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  const end = x + ((<usize>inputs) << 2);
  while (x < end) {
    const a = v128.load32_splat(x);
    sum0 = multiplyAdd(sum0, quarterOf<T>(weights, 0), a);
    sum1 = multiplyAdd(sum1, quarterOf<T>(weights, 1), a);
    sum2 = multiplyAdd(sum2, quarterOf<T>(weights, 2), a);
    sum3 = multiplyAdd(sum3, quarterOf<T>(weights, 3), a);
    x += 4;
    weights += sizeof<T>() * panelOutputs;
  }
  finish(sum0, 0, bias, y, width, accumulate);
  finish(sum1, 1, bias, y, width, accumulate);
  finish(sum2, 2, bias, y, width, accumulate);
  finish(sum3, 3, bias, y, width, accumulate);
}

/** Two rows times one panel: each weight is loaded once for both. */
function multiplyTwoRows<T>(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights: usize,
  bias: usize,
  y: usize,
  yBytes: usize,
  width: i32,
  accumulate: bool,
): void {
  let sum00 = f32x4.splat(0);
  let sum01 = f32x4.splat(0);
  let sum02 = f32x4.splat(0);
  let sum03 = f32x4.splat(0);
  let sum10 = f32x4.splat(0);
  let sum11 = f32x4.splat(0);
  let sum12 = f32x4.splat(0);
  let sum13 = f32x4.splat(0);
  const end = x0 + ((<usize>inputs) << 2);
  let x1 = x0 + xBytes;
  while (x0 < end) {
    const a0 = v128.load32_splat(x0);
    const a1 = v128.load32_splat(x1);
    const weight0 = quarterOf<T>(weights, 0);
    sum00 = multiplyAdd(sum00, weight0, a0);
    sum10 = multiplyAdd(sum10, weight0, a1);
    const weight1 = quarterOf<T>(weights, 1);
    sum01 = multiplyAdd(sum01, weight1, a0);
    sum11 = multiplyAdd(sum11, weight1, a1);
    const weight2 = quarterOf<T>(weights, 2);
    sum02 = multiplyAdd(sum02, weight2, a0);
    sum12 = multiplyAdd(sum12, weight2, a1);
    const weight3 = quarterOf<T>(weights, 3);
    sum03 = multiplyAdd(sum03, weight3, a0);
    sum13 = multiplyAdd(sum13, weight3, a1);
    x0 += 4;
    x1 += 4;
    weights += sizeof<T>() * panelOutputs;
  }
  finish(sum00, 0, bias, y, width, accumulate);
  finish(sum01, 1, bias, y, width, accumulate);
  finish(sum02, 2, bias, y, width, accumulate);
  finish(sum03, 3, bias, y, width, accumulate);
  finish(sum10, 0, bias, y + yBytes, width, accumulate);
  finish(sum11, 1, bias, y + yBytes, width, accumulate);
  finish(sum12, 2, bias, y + yBytes, width, accumulate);
  finish(sum13, 3, bias, y + yBytes, width, accumulate);
}

/**
 * Four rows times a whole panel, for engines that join neighbouring vectors into vectors of 256 bits: pairs of loads, sums
 * and stores stand side by side for that.
 */
export function fourRowsFloat32(
  x: usize,
  xBytes: usize,
  inputs: i32,
  weights: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  fourRows<f32>(x, xBytes, inputs, weights, y, yBytes, accumulate);
}

/** {@link fourRowsFloat32} for weights in bfloat16. */
export function fourRowsBfloat16(
  x: usize,
  xBytes: usize,
  inputs: i32,
  weights: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  fourRows<u16>(x, xBytes, inputs, weights, y, yBytes, accumulate);
}

function fourRows<T>(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  let sum00 = f32x4.splat(0);
  let sum01 = f32x4.splat(0);
  let sum02 = f32x4.splat(0);
  let sum03 = f32x4.splat(0);
  let sum10 = f32x4.splat(0);
  let sum11 = f32x4.splat(0);
  let sum12 = f32x4.splat(0);
  let sum13 = f32x4.splat(0);
  let sum20 = f32x4.splat(0);
  let sum21 = f32x4.splat(0);
  let sum22 = f32x4.splat(0);
  let sum23 = f32x4.splat(0);
  let sum30 = f32x4.splat(0);
  let sum31 = f32x4.splat(0);
  let sum32 = f32x4.splat(0);
  let sum33 = f32x4.splat(0);
  const end = x0 + ((<usize>inputs) << 2);
  let x1 = x0 + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  while (x0 < end) {
    const weight0 = quarterOf<T>(weights, 0);
    const weight1 = quarterOf<T>(weights, 1);
    const weight2 = quarterOf<T>(weights, 2);
    const weight3 = quarterOf<T>(weights, 3);
    const a0 = v128.load32_splat(x0);
    sum00 = multiplyAdd(sum00, weight0, a0);
    sum01 = multiplyAdd(sum01, weight1, a0);
    sum02 = multiplyAdd(sum02, weight2, a0);
    sum03 = multiplyAdd(sum03, weight3, a0);
    const a1 = v128.load32_splat(x1);
    sum10 = multiplyAdd(sum10, weight0, a1);
    sum11 = multiplyAdd(sum11, weight1, a1);
    sum12 = multiplyAdd(sum12, weight2, a1);
    sum13 = multiplyAdd(sum13, weight3, a1);
    const a2 = v128.load32_splat(x2);
    sum20 = multiplyAdd(sum20, weight0, a2);
    sum21 = multiplyAdd(sum21, weight1, a2);
    sum22 = multiplyAdd(sum22, weight2, a2);
    sum23 = multiplyAdd(sum23, weight3, a2);
    const a3 = v128.load32_splat(x3);
    sum30 = multiplyAdd(sum30, weight0, a3);
    sum31 = multiplyAdd(sum31, weight1, a3);
    sum32 = multiplyAdd(sum32, weight2, a3);
    sum33 = multiplyAdd(sum33, weight3, a3);
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
    weights += sizeof<T>() * panelOutputs;
  }
  finishPanel(sum00, sum01, sum02, sum03, y, accumulate);
  finishPanel(sum10, sum11, sum12, sum13, y + yBytes, accumulate);
  finishPanel(sum20, sum21, sum22, sum23, y + yBytes * 2, accumulate);
  finishPanel(sum30, sum31, sum32, sum33, y + yBytes * 3, accumulate);
}

function finishPanel(sum0: v128, sum1: v128, sum2: v128, sum3: v128, y: usize, accumulate: bool): void {
  if (accumulate) {
    sum0 = f32x4.add(sum0, v128.load(y));
    sum1 = f32x4.add(sum1, v128.load(y, 16));
    sum2 = f32x4.add(sum2, v128.load(y, 32));
    sum3 = f32x4.add(sum3, v128.load(y, 48));
  }
  v128.store(y, sum0);
  v128.store(y, sum1, 16);
  v128.store(y, sum2, 32);
  v128.store(y, sum3, 48);
}

/** Adds the biases of a panel to four rows. */
function addBias(bias: usize, y: usize, yBytes: usize): void {
  for (let row = 0; row < 4; row++) {
    for (let i: usize = 0; i < panelRowBytes; i += vectorBytes) {
      v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(bias + i)));
    }
    y += yBytes;
  }
}
