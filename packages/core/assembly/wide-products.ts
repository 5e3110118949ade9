// Products of eight pairs of vectors at a time, for engines that join neighbouring vectors into vectors of 256 bits: pairs
// of loads, sums and stores stand side by side for that. Each is a function of its own, or V8 does not keep its sums in
// registers. Which one a row goes through does not change its results.
import { multiplyAdd, storePanel } from './lanes';
import { panelOutputs, panelRowBytes, quarterOf } from './packed-weights';

/** Four rows times a panel that is in the nearer caches: each weight is loaded once for all of them. */
export function fourRowsFloat32(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  fourRows<f32>(x0, xBytes, inputs, weights0, y, yBytes, accumulate);
}

/** {@link fourRowsFloat32} for weights in bfloat16. */
export function fourRowsBfloat16(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  fourRows<u16>(x0, xBytes, inputs, weights0, y, yBytes, accumulate);
}

function fourRows<T>(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
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
    const weight0 = quarterOf<T>(weights0, 0);
    const weight1 = quarterOf<T>(weights0, 1);
    const weight2 = quarterOf<T>(weights0, 2);
    const weight3 = quarterOf<T>(weights0, 3);
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
    weights0 += sizeof<T>() * panelOutputs;
  }
  storePanel(sum00, sum01, sum02, sum03, y, accumulate);
  storePanel(sum10, sum11, sum12, sum13, y + yBytes, accumulate);
  storePanel(sum20, sum21, sum22, sum23, y + yBytes * 2, accumulate);
  storePanel(sum30, sum31, sum32, sum33, y + yBytes * 3, accumulate);
}

/** Two rows times two panels: from memory, two streams bring in a quarter more than one. */
export function twoRowsTwoPanelsFloat32(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  twoRowsTwoPanels<f32>(x0, xBytes, inputs, weights0, panelBytes, y, yBytes, accumulate);
}

/** {@link twoRowsTwoPanelsFloat32} for weights in bfloat16. */
export function twoRowsTwoPanelsBfloat16(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  twoRowsTwoPanels<u16>(x0, xBytes, inputs, weights0, panelBytes, y, yBytes, accumulate);
}

function twoRowsTwoPanels<T>(
  x0: usize,
  xBytes: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
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
  let weights1 = weights0 + panelBytes;
  while (x0 < end) {
    const a0 = v128.load32_splat(x0);
    const a1 = v128.load32_splat(x1);
    const weight00 = quarterOf<T>(weights0, 0);
    const weight01 = quarterOf<T>(weights0, 1);
    const weight02 = quarterOf<T>(weights0, 2);
    const weight03 = quarterOf<T>(weights0, 3);
    sum00 = multiplyAdd(sum00, weight00, a0);
    sum01 = multiplyAdd(sum01, weight01, a0);
    sum02 = multiplyAdd(sum02, weight02, a0);
    sum03 = multiplyAdd(sum03, weight03, a0);
    sum20 = multiplyAdd(sum20, weight00, a1);
    sum21 = multiplyAdd(sum21, weight01, a1);
    sum22 = multiplyAdd(sum22, weight02, a1);
    sum23 = multiplyAdd(sum23, weight03, a1);
    const weight10 = quarterOf<T>(weights1, 0);
    const weight11 = quarterOf<T>(weights1, 1);
    const weight12 = quarterOf<T>(weights1, 2);
    const weight13 = quarterOf<T>(weights1, 3);
    sum10 = multiplyAdd(sum10, weight10, a0);
    sum11 = multiplyAdd(sum11, weight11, a0);
    sum12 = multiplyAdd(sum12, weight12, a0);
    sum13 = multiplyAdd(sum13, weight13, a0);
    sum30 = multiplyAdd(sum30, weight10, a1);
    sum31 = multiplyAdd(sum31, weight11, a1);
    sum32 = multiplyAdd(sum32, weight12, a1);
    sum33 = multiplyAdd(sum33, weight13, a1);
    x0 += 4;
    x1 += 4;
    weights0 += sizeof<T>() * panelOutputs;
    weights1 += sizeof<T>() * panelOutputs;
  }
  storePanel(sum00, sum01, sum02, sum03, y, accumulate);
  storePanel(sum10, sum11, sum12, sum13, y + panelRowBytes, accumulate);
  storePanel(sum20, sum21, sum22, sum23, y + yBytes, accumulate);
  storePanel(sum30, sum31, sum32, sum33, y + yBytes + panelRowBytes, accumulate);
}

/** One row times four panels, all that it can keep sums for. */
export function oneRowFourPanelsFloat32(
  x0: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
  y: usize,
  accumulate: bool,
): void {
  oneRowFourPanels<f32>(x0, inputs, weights0, panelBytes, y, accumulate);
}

/** {@link oneRowFourPanelsFloat32} for weights in bfloat16. */
export function oneRowFourPanelsBfloat16(
  x0: usize,
  inputs: i32,
  weights0: usize,
  panelBytes: usize,
  y: usize,
  accumulate: bool,
): void {
  oneRowFourPanels<u16>(x0, inputs, weights0, panelBytes, y, accumulate);
}

function oneRowFourPanels<T>(
  x0: usize,
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
  let sum20 = f32x4.splat(0);
  let sum21 = f32x4.splat(0);
  let sum22 = f32x4.splat(0);
  let sum23 = f32x4.splat(0);
  let sum30 = f32x4.splat(0);
  let sum31 = f32x4.splat(0);
  let sum32 = f32x4.splat(0);
  let sum33 = f32x4.splat(0);
  const end = x0 + ((<usize>inputs) << 2);
  let weights1 = weights0 + panelBytes;
  let weights2 = weights1 + panelBytes;
  let weights3 = weights2 + panelBytes;
  while (x0 < end) {
    const a0 = v128.load32_splat(x0);
    const weight00 = quarterOf<T>(weights0, 0);
    const weight01 = quarterOf<T>(weights0, 1);
    const weight02 = quarterOf<T>(weights0, 2);
    const weight03 = quarterOf<T>(weights0, 3);
    sum00 = multiplyAdd(sum00, weight00, a0);
    sum01 = multiplyAdd(sum01, weight01, a0);
    sum02 = multiplyAdd(sum02, weight02, a0);
    sum03 = multiplyAdd(sum03, weight03, a0);
    const weight10 = quarterOf<T>(weights1, 0);
    const weight11 = quarterOf<T>(weights1, 1);
    const weight12 = quarterOf<T>(weights1, 2);
    const weight13 = quarterOf<T>(weights1, 3);
    sum10 = multiplyAdd(sum10, weight10, a0);
    sum11 = multiplyAdd(sum11, weight11, a0);
    sum12 = multiplyAdd(sum12, weight12, a0);
    sum13 = multiplyAdd(sum13, weight13, a0);
    const weight20 = quarterOf<T>(weights2, 0);
    const weight21 = quarterOf<T>(weights2, 1);
    const weight22 = quarterOf<T>(weights2, 2);
    const weight23 = quarterOf<T>(weights2, 3);
    sum20 = multiplyAdd(sum20, weight20, a0);
    sum21 = multiplyAdd(sum21, weight21, a0);
    sum22 = multiplyAdd(sum22, weight22, a0);
    sum23 = multiplyAdd(sum23, weight23, a0);
    const weight30 = quarterOf<T>(weights3, 0);
    const weight31 = quarterOf<T>(weights3, 1);
    const weight32 = quarterOf<T>(weights3, 2);
    const weight33 = quarterOf<T>(weights3, 3);
    sum30 = multiplyAdd(sum30, weight30, a0);
    sum31 = multiplyAdd(sum31, weight31, a0);
    sum32 = multiplyAdd(sum32, weight32, a0);
    sum33 = multiplyAdd(sum33, weight33, a0);
    x0 += 4;
    weights0 += sizeof<T>() * panelOutputs;
    weights1 += sizeof<T>() * panelOutputs;
    weights2 += sizeof<T>() * panelOutputs;
    weights3 += sizeof<T>() * panelOutputs;
  }
  storePanel(sum00, sum01, sum02, sum03, y, accumulate);
  storePanel(sum10, sum11, sum12, sum13, y + panelRowBytes, accumulate);
  storePanel(sum20, sum21, sum22, sum23, y + panelRowBytes * 2, accumulate);
  storePanel(sum30, sum31, sum32, sum33, y + panelRowBytes * 3, accumulate);
}
