// Products of one or two rows with vectors of 128 bits, and with panels that are not whole.
import { multiplyAdd, storeLanes } from './lanes';
import { panelOutputs, panelRowBytes, quarterOf, vectorBytes } from './packed-weights';

/** Adds earlier content and bias where asked to, and stores a quarter of a panel, of which `width` outputs are there. */
function finish(sum: v128, quarter: usize, bias: usize, y: usize, width: i32, accumulate: bool): void {
  const offset = vectorBytes * quarter;
  const present = width - 4 * <i32>quarter;
  if (present <= 0) return;
  if (accumulate) sum = f32x4.add(sum, v128.load(y + offset));
  if (bias) sum = f32x4.add(sum, v128.load(bias + offset));
  storeLanes(y + offset, sum, present);
}

/** One row times one panel. */
export function multiplyRow<T>(
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

/** One row times two panels, side by side: two streams from memory bring in more than one. */
export function oneRowTwoPanels<T>(
  x: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
  y: usize,
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
  const end = x + ((<usize>inputs) << 2);
  let weights1 = weights0 + panelBytes;
  while (x < end) {
    const a = v128.load32_splat(x);
    sum00 = multiplyAdd(sum00, quarterOf<T>(weights0, 0), a);
    sum01 = multiplyAdd(sum01, quarterOf<T>(weights0, 1), a);
    sum02 = multiplyAdd(sum02, quarterOf<T>(weights0, 2), a);
    sum03 = multiplyAdd(sum03, quarterOf<T>(weights0, 3), a);
    sum10 = multiplyAdd(sum10, quarterOf<T>(weights1, 0), a);
    sum11 = multiplyAdd(sum11, quarterOf<T>(weights1, 1), a);
    sum12 = multiplyAdd(sum12, quarterOf<T>(weights1, 2), a);
    sum13 = multiplyAdd(sum13, quarterOf<T>(weights1, 3), a);
    x += 4;
    weights0 += sizeof<T>() * panelOutputs;
    weights1 += sizeof<T>() * panelOutputs;
  }
  finish(sum00, 0, 0, y, panelOutputs, accumulate);
  finish(sum01, 1, 0, y, panelOutputs, accumulate);
  finish(sum02, 2, 0, y, panelOutputs, accumulate);
  finish(sum03, 3, 0, y, panelOutputs, accumulate);
  finish(sum10, 0, 0, y + panelRowBytes, panelOutputs, accumulate);
  finish(sum11, 1, 0, y + panelRowBytes, panelOutputs, accumulate);
  finish(sum12, 2, 0, y + panelRowBytes, panelOutputs, accumulate);
  finish(sum13, 3, 0, y + panelRowBytes, panelOutputs, accumulate);
}

/** Two rows times one panel: each weight is loaded once for both. */
export function multiplyTwoRows<T>(
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
