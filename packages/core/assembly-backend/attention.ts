// Attention of the queries that share one key-value head, and its gradient, tile by tile: the weights of a tile of rows live
// only until its products are done (as in FlashAttention, Dao et al. 2022), so memory grows with the number of columns alone.
import { multiplyAdd, sumOfLanes } from '../assembly/lanes';
import { packColumns, packRows, roundUp } from './packing';
import { addBias, exponentialsOf, scaleBy } from './softmax';
import { multiplyPanels, tileBytes, tileColumns, tileRowBytes } from './tile';

/** Rows whose weights exist at once. */
const mostRows: i32 = 32;
/** A column with less bias than this has no weight, unless its row has no other. */
const hidden: f32 = -1e8;

/** The parts of the room for one key-value head; each a whole number of panels. */
let keysAcross: usize = 0;
let valuesAcross: usize = 0;
let second: usize = 0;
let packed: usize = 0;
let weights: usize = 0;
let changes: usize = 0;

/** Bytes of room that {@link attend} needs, or {@link attendBack} if `back`. */
export function attentionBytes(columns: i32, size: i32, back: bool): usize {
  return layOut(0, columns, size, back);
}

/** Places the parts from `room` on and returns where they end. A spare tile comes first. */
function layOut(room: usize, columns: i32, size: i32, back: bool): usize {
  const wideColumns = <usize>roundUp(columns, tileColumns);
  const wideSize = <usize>roundUp(size, tileColumns);
  const matrix = (wideColumns * wideSize) << 2;
  let place = room + tileBytes;
  keysAcross = place;
  place += matrix;
  // Values packed for the weights times them; backwards, for the gradient times their transpose, and keys once more.
  valuesAcross = place;
  place += matrix;
  second = place;
  if (back) place += matrix;
  // The left side of any product of a tile: its vectors, its weights, or its weights turned.
  packed = place;
  place += (<usize>mostRows * max(wideColumns, wideSize)) << 2;
  weights = place;
  place += (<usize>mostRows * wideColumns) << 2;
  changes = place;
  // Backwards also a tile's vectors as a right side.
  if (back) place += (<usize>mostRows * (wideColumns + wideSize)) << 2;
  return place;
}

/** How many columns the rows of a tile see: all after that are hidden from each of them. */
function visibleColumns(bias: usize, tokens: i32, columns: i32, firstRow: i32, rows: i32): i32 {
  if (!bias) return columns;
  let visible = 0;
  for (let row = firstRow; row < firstRow + rows; row++) {
    const start = bias + ((<usize>((row % tokens) * columns)) << 2);
    let last = columns;
    while (last > 0 && load<f32>(start + ((<usize>(last - 1)) << 2)) <= hidden) last--;
    // A row that sees nothing weighs all columns alike.
    if (last === 0) return columns;
    visible = max(visible, last);
  }
  return visible;
}

/** Leaves the weights of a tile's rows in `weights`, `[rows, visible]` with the stride of all columns. */
function weigh(
  query: usize,
  bias: usize,
  firstRow: i32,
  rows: i32,
  tokens: i32,
  columns: i32,
  visible: i32,
  size: i32,
  spare: usize,
): void {
  const headBytes = (<usize>size) << 2;
  const stride = (<usize>roundUp(columns, tileColumns)) << 2;
  packRows(query + headBytes * firstRow, headBytes, false, rows, size, packed);
  multiplyPanels(packed, keysAcross, headBytes * tileColumns, weights, stride, rows, size, visible, false, spare);
  const scale: f32 = 1 / Mathf.sqrt(<f32>size);
  for (let row = 0; row < rows; row++) {
    const scores = weights + stride * row;
    const rowBias = bias ? bias + ((<usize>(((firstRow + row) % tokens) * columns)) << 2) : 0;
    const largest = addBias(scores, visible, scale, rowBias);
    scaleBy(scores, visible, 1 / exponentialsOf(scores, visible, largest));
  }
}

/**
 * `output = softmax(query keys / sqrt(size) + bias) values`.
 * @param query - `[rows, size]`: the heads that share the keys, `tokens` rows of each; as is `output`.
 * @param key - `[columns, size]`, as is `value`.
 * @param bias - `[tokens, columns]`, or 0.
 */
export function attend(
  query: usize,
  key: usize,
  value: usize,
  bias: usize,
  output: usize,
  rows: i32,
  tokens: i32,
  columns: i32,
  size: i32,
  room: usize,
): void {
  layOut(room, columns, size, false);
  const headBytes = (<usize>size) << 2;
  const stride = (<usize>roundUp(columns, tileColumns)) << 2;
  packColumns(key, headBytes, true, size, columns, keysAcross);
  packColumns(value, headBytes, false, columns, size, valuesAcross);
  for (let first = 0; first < rows; first += mostRows) {
    const count = min(mostRows, rows - first);
    const visible = visibleColumns(bias, tokens, columns, first, count);
    weigh(query, bias, first, count, tokens, columns, visible, size, room);
    packRows(weights, stride, false, count, visible, packed);
    const out = output + headBytes * first;
    multiplyPanels(packed, valuesAcross, tileRowBytes * columns, out, headBytes, count, visible, size, false, room);
  }
}

/** Gradients of {@link attend} with respect to query, key and value, in their shapes; the weights are computed again. */
export function attendBack(
  dOutput: usize,
  query: usize,
  key: usize,
  value: usize,
  bias: usize,
  dQuery: usize,
  dKey: usize,
  dValue: usize,
  rows: i32,
  tokens: i32,
  columns: i32,
  size: i32,
  room: usize,
): void {
  layOut(room, columns, size, true);
  const headBytes = (<usize>size) << 2;
  const stride = (<usize>roundUp(columns, tileColumns)) << 2;
  const scale: f32 = 1 / Mathf.sqrt(<f32>size);
  const vectors = changes + stride * mostRows;
  packColumns(key, headBytes, true, size, columns, keysAcross);
  packColumns(value, headBytes, true, size, columns, valuesAcross);
  packColumns(key, headBytes, false, columns, size, second);
  memory.fill(dKey, 0, headBytes * columns);
  memory.fill(dValue, 0, headBytes * columns);
  for (let first = 0; first < rows; first += mostRows) {
    const count = min(mostRows, rows - first);
    const visible = visibleColumns(bias, tokens, columns, first, count);
    const offset = headBytes * first;
    const vectorPanel = tileRowBytes * count;
    weigh(query, bias, first, count, tokens, columns, visible, size, room);
    // dValue += weights^T dOutput
    packRows(weights, stride, true, visible, count, packed);
    packColumns(dOutput + offset, headBytes, false, count, size, vectors);
    multiplyPanels(packed, vectors, vectorPanel, dValue, headBytes, visible, count, size, true, room);
    // dWeights = dOutput value^T, and from it the gradient of the scores
    packRows(dOutput + offset, headBytes, false, count, size, packed);
    multiplyPanels(packed, valuesAcross, headBytes * tileColumns, changes, stride, count, size, visible, false, room);
    for (let row = 0; row < count; row++) {
      softmaxBack(weights + stride * row, changes + stride * row, visible, scale);
    }
    // dQuery = dScores key
    packRows(changes, stride, false, count, visible, packed);
    multiplyPanels(
      packed,
      second,
      tileRowBytes * columns,
      dQuery + offset,
      headBytes,
      count,
      visible,
      size,
      false,
      room,
    );
    // dKey += dScores^T query
    packRows(changes, stride, true, visible, count, packed);
    packColumns(query + offset, headBytes, false, count, size, vectors);
    multiplyPanels(packed, vectors, vectorPanel, dKey, headBytes, visible, count, size, true, room);
  }
}

/** Replaces dWeights by `weights * (dWeights - sum(weights * dWeights)) * scale`. */
function softmaxBack(weights: usize, dWeights: usize, count: i32, scale: f32): void {
  let sums = f32x4.splat(0);
  let i: usize = 0;
  const vectorBytes = (<usize>(count & ~3)) << 2;
  const bytes = (<usize>count) << 2;
  for (; i < vectorBytes; i += 16) sums = multiplyAdd(sums, v128.load(weights + i), v128.load(dWeights + i));
  let sum = sumOfLanes(sums);
  for (; i < bytes; i += 4) sum += load<f32>(weights + i) * load<f32>(dWeights + i);
  const means = f32x4.splat(sum);
  const scales = f32x4.splat(scale);
  for (i = 0; i < vectorBytes; i += 16) {
    const difference = f32x4.sub(v128.load(dWeights + i), means);
    v128.store(dWeights + i, f32x4.mul(f32x4.mul(v128.load(weights + i), difference), scales));
  }
  for (; i < bytes; i += 4) {
    store<f32>(dWeights + i, load<f32>(weights + i) * (load<f32>(dWeights + i) - sum) * scale);
  }
}
