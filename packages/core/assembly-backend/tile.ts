// The innermost product: a tile of four rows and eight columns in registers, or of sixteen where the engine joins vectors.
import { multiplyAdd } from '../assembly/lanes';

export const tileRows: i32 = 4;
export const tileColumns: i32 = WIDE_VECTORS ? 16 : 8;
/** Bytes of a row of a tile, and of a tile. */
export const tileRowBytes: usize = (<usize>tileColumns) << 2;
export const tileBytes: usize = tileRowBytes * tileRows;

/** `c = a b`, or `c += a b`, for packed panels `a [depth][4]` and `b [depth][tileColumns]`. */
function multiplyTile(a: usize, b: usize, c: usize, cStride: usize, depth: i32, accumulate: bool): void {
  if (WIDE_VECTORS) multiplyWideTile(a, b, c, cStride, depth, accumulate);
  else multiplyNarrowTile(a, b, c, cStride, depth, accumulate);
}

/**
 * {@link multiplyTile} of eight columns. Unrolling the loop or a larger tile makes it slower: the sums would no longer fit
 * the sixteen registers of x64.
 */
function multiplyNarrowTile(a: usize, b: usize, c: usize, cStride: usize, depth: i32, accumulate: bool): void {
  let low0 = f32x4.splat(0);
  let low1 = f32x4.splat(0);
  let low2 = f32x4.splat(0);
  let low3 = f32x4.splat(0);
  let high0 = f32x4.splat(0);
  let high1 = f32x4.splat(0);
  let high2 = f32x4.splat(0);
  let high3 = f32x4.splat(0);
  const end = a + ((<usize>depth) << 4);
  while (a < end) {
    const low = v128.load(b);
    const high = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    low0 = multiplyAdd(low0, a0, low);
    high0 = multiplyAdd(high0, a0, high);
    const a1 = v128.load32_splat(a, 4);
    low1 = multiplyAdd(low1, a1, low);
    high1 = multiplyAdd(high1, a1, high);
    const a2 = v128.load32_splat(a, 8);
    low2 = multiplyAdd(low2, a2, low);
    high2 = multiplyAdd(high2, a2, high);
    const a3 = v128.load32_splat(a, 12);
    low3 = multiplyAdd(low3, a3, low);
    high3 = multiplyAdd(high3, a3, high);
    a += 16;
    b += 32;
  }
  put(c, low0, high0, accumulate);
  put(c + cStride, low1, high1, accumulate);
  put(c + cStride * 2, low2, high2, accumulate);
  put(c + cStride * 3, low3, high3, accumulate);
}

/** {@link multiplyTile} of sixteen columns: pairs of neighbouring vectors stand side by side, for the engine to join them. */
export function multiplyWideTile(a: usize, b: usize, c: usize, cStride: usize, depth: i32, accumulate: bool): void {
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
  const end = a + ((<usize>depth) << 4);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const a0 = v128.load32_splat(a);
    sum00 = multiplyAdd(sum00, a0, b0);
    sum01 = multiplyAdd(sum01, a0, b1);
    sum02 = multiplyAdd(sum02, a0, b2);
    sum03 = multiplyAdd(sum03, a0, b3);
    const a1 = v128.load32_splat(a, 4);
    sum10 = multiplyAdd(sum10, a1, b0);
    sum11 = multiplyAdd(sum11, a1, b1);
    sum12 = multiplyAdd(sum12, a1, b2);
    sum13 = multiplyAdd(sum13, a1, b3);
    const a2 = v128.load32_splat(a, 8);
    sum20 = multiplyAdd(sum20, a2, b0);
    sum21 = multiplyAdd(sum21, a2, b1);
    sum22 = multiplyAdd(sum22, a2, b2);
    sum23 = multiplyAdd(sum23, a2, b3);
    const a3 = v128.load32_splat(a, 12);
    sum30 = multiplyAdd(sum30, a3, b0);
    sum31 = multiplyAdd(sum31, a3, b1);
    sum32 = multiplyAdd(sum32, a3, b2);
    sum33 = multiplyAdd(sum33, a3, b3);
    a += 16;
    b += 64;
  }
  putWide(c, sum00, sum01, sum02, sum03, accumulate);
  putWide(c + cStride, sum10, sum11, sum12, sum13, accumulate);
  putWide(c + cStride * 2, sum20, sum21, sum22, sum23, accumulate);
  putWide(c + cStride * 3, sum30, sum31, sum32, sum33, accumulate);
}

function put(c: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    low = f32x4.add(low, v128.load(c));
    high = f32x4.add(high, v128.load(c, 16));
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}

function putWide(c: usize, sum0: v128, sum1: v128, sum2: v128, sum3: v128, accumulate: bool): void {
  if (accumulate) {
    sum0 = f32x4.add(sum0, v128.load(c));
    sum1 = f32x4.add(sum1, v128.load(c, 16));
    sum2 = f32x4.add(sum2, v128.load(c, 32));
    sum3 = f32x4.add(sum3, v128.load(c, 48));
  }
  v128.store(c, sum0);
  v128.store(c, sum1, 16);
  v128.store(c, sum2, 32);
  v128.store(c, sum3, 48);
}

/**
 * All tiles of `c [rows, columns]` out of packed panels.
 * @param bPanel - bytes from one panel of `b` to the next.
 * @param spare - room for a tile, for those that hang over the edge of `c`.
 */
export function multiplyPanels(
  a: usize,
  b: usize,
  bPanel: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  accumulate: bool,
  spare: usize,
): void {
  const aPanel = (<usize>depth) << 4;
  for (let column = 0; column < columns; column += tileColumns) {
    const width = min(tileColumns, columns - column);
    let aTile = a;
    let cTile = c;
    // The panel of b stays in the nearest cache, those of a pass by.
    for (let row = 0; row < rows; row += tileRows) {
      const height = min(tileRows, rows - row);
      if (height === tileRows && width === tileColumns) {
        multiplyTile(aTile, b, cTile, cStride, depth, accumulate);
      } else {
        multiplyTile(aTile, b, spare, tileRowBytes, depth, false);
        putPart(spare, cTile, cStride, height, width, accumulate);
      }
      aTile += aPanel;
      cTile += cStride * tileRows;
    }
    b += bPanel;
    c += tileRowBytes;
  }
}

function putPart(tile: usize, c: usize, cStride: usize, height: i32, width: i32, accumulate: bool): void {
  const bytes = (<usize>width) << 2;
  for (let row = 0; row < height; row++) {
    for (let i: usize = 0; i < bytes; i += 4) {
      const value = load<f32>(tile + i);
      store<f32>(c + i, accumulate ? load<f32>(c + i) + value : value);
    }
    tile += tileRowBytes;
    c += cStride;
  }
}
