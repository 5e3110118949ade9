// Products with packed weight matrices: which rows go through which panels when.
import { multiplyRow, multiplyTwoRows, oneRowTwoPanels } from './narrow-products';
import * as native from './native';
import { panelOutputs, panelRowBytes, vectorBytes } from './packed-weights';
import {
  fourRowsBfloat16,
  fourRowsFloat32,
  oneRowFourPanelsBfloat16,
  oneRowFourPanelsFloat32,
  twoRowsTwoPanelsBfloat16,
  twoRowsTwoPanelsFloat32,
} from './wide-products';

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
  if (native.present) {
    native.multiply(isFloat<T>(), x, rows, inputs, weights, bias, outputs, y, accumulate, first, end);
    return;
  }
  const panelBytes = <usize>inputs * sizeof<T>() * panelOutputs;
  const xBytes = (<usize>inputs) << 2;
  const yBytes = (<usize>outputs) << 2;
  weights += <usize>(first / panelOutputs) * panelBytes;
  y += (<usize>first) << 2;
  if (bias) bias += (<usize>first) << 2;
  let output = first;
  if (WIDE_VECTORS || rows === 1) {
    const most = WIDE_VECTORS ? 4 : 2;
    for (let panels = most; panels > 1; panels >>= 1) {
      while (output + panels * panelOutputs <= end) {
        if (WIDE_VECTORS)
          multiplyPanels<T>(panels, x, xBytes, rows, inputs, weights, panelBytes, y, yBytes, accumulate);
        else oneRowTwoPanels<T>(x, inputs, weights, panelBytes, y, accumulate);
        if (bias) addBias(bias, panels, rows, y, yBytes);
        output += panels * panelOutputs;
        weights += <usize>panels * panelBytes;
        y += <usize>panels * panelRowBytes;
        if (bias) bias += <usize>panels * panelRowBytes;
      }
    }
  }
  for (; output < end; output += panelOutputs) {
    const width = min(panelOutputs, end - output);
    multiplyPanel<T>(x, xBytes, rows, inputs, weights, bias, y, yBytes, width, accumulate);
    weights += panelBytes;
    y += panelRowBytes;
    if (bias) bias += panelRowBytes;
  }
}

/**
 * Two or four whole panels. Memory gives more to several streams than to one: the rows that come first go through all
 * panels side by side, the others panel by panel, each of which stays in the nearer caches for them.
 */
function multiplyPanels<T>(
  panels: i32,
  x: usize,
  xBytes: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  panelBytes: usize,
  y: usize,
  yBytes: usize,
  accumulate: bool,
): void {
  let row = 0;
  if ((rows & 1) !== 0) {
    if (panels === 2) oneRowTwoPanels<T>(x, inputs, weights, panelBytes, y, accumulate);
    else if (isFloat<T>()) oneRowFourPanelsFloat32(x, inputs, weights, panelBytes, y, accumulate);
    else oneRowFourPanelsBfloat16(x, inputs, weights, panelBytes, y, accumulate);
    row = 1;
    x += xBytes;
    y += yBytes;
  }
  // An even number of rows that is left, four of which go together: two that are over, or the first four as two and two.
  const end = (rows & 2) !== 0 ? row + 2 : row === 0 ? min(4, rows) : row;
  for (; row < end; row += 2) {
    for (let panel: usize = 0; panel < <usize>panels; panel += 2) {
      const w = weights + panel * panelBytes;
      const at = y + panel * panelRowBytes;
      if (isFloat<T>()) twoRowsTwoPanelsFloat32(x, xBytes, inputs, w, panelBytes, at, yBytes, accumulate);
      else twoRowsTwoPanelsBfloat16(x, xBytes, inputs, w, panelBytes, at, yBytes, accumulate);
    }
    x += xBytes << 1;
    y += yBytes << 1;
  }
  for (let panel = 0; panel < panels; panel++) {
    let from = x;
    let at = y;
    for (let left = rows - row; left > 0; left -= 4) {
      if (isFloat<T>()) fourRowsFloat32(from, xBytes, inputs, weights, at, yBytes, accumulate);
      else fourRowsBfloat16(from, xBytes, inputs, weights, at, yBytes, accumulate);
      from += xBytes << 2;
      at += yBytes << 2;
    }
    weights += panelBytes;
    y += panelRowBytes;
  }
}

/** {@link multiply} of a panel, of which `width` outputs are there. */
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
      if (bias) addBias(bias, 1, 4, y, yBytes);
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

/** Adds the biases of panels to rows. */
function addBias(bias: usize, panels: i32, rows: i32, y: usize, yBytes: usize): void {
  const bytes = <usize>panels * panelRowBytes;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < bytes; i += vectorBytes) {
      v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(bias + i)));
    }
    y += yBytes;
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
