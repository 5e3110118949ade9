// The innermost product: a tile of four rows and eight columns in registers.
import { multiplyAdd } from '../assembly/lanes';

export const tileRows: i32 = 4;
export const tileColumns: i32 = 8;
/** Bytes of a tile. */
export const tileBytes: usize = 128;

/**
 * `c = a b`, or `c += a b`, for packed panels `a [depth][4]` and `b [depth][8]`. Unrolling the loop or a larger tile makes
 * it slower: the sums would no longer fit the sixteen registers of x64.
 */
export function multiplyTile(a: usize, b: usize, c: usize, cStride: usize, depth: i32, accumulate: bool): void {
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

function put(c: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    low = f32x4.add(low, v128.load(c));
    high = f32x4.add(high, v128.load(c, 16));
  }
  v128.store(c, low);
  v128.store(c, high, 16);
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
        multiplyTile(aTile, b, spare, 32, depth, false);
        putPart(spare, cTile, cStride, height, width, accumulate);
      }
      aTile += aPanel;
      cTile += cStride * tileRows;
    }
    b += bPanel;
    c += tileColumns << 2;
  }
}

function putPart(tile: usize, c: usize, cStride: usize, height: i32, width: i32, accumulate: bool): void {
  const bytes = (<usize>width) << 2;
  for (let row = 0; row < height; row++) {
    for (let i: usize = 0; i < bytes; i += 4) {
      const value = load<f32>(tile + i);
      store<f32>(c + i, accumulate ? load<f32>(c + i) + value : value);
    }
    tile += 32;
    c += cStride;
  }
}
