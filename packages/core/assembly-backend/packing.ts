// Puts matrices into the order in which tiles read them: panels of 4 rows or of a tile's columns, in each panel one group per
// step of the inner dimension. What a panel lacks at the edge is filled with zeros.

import { tileColumns, tileRows } from './tile';

/** Panels of a matrix whose panel direction lies along memory: `from [depth, count]`, panels `[depth][width]`. */
function packAlong(from: usize, stride: usize, count: i32, depth: i32, width: i32, to: usize): void {
  const bytes = (<usize>width) << 2;
  for (let first = 0; first < count; first += width) {
    const present = min(width, count - first);
    let source = from + ((<usize>first) << 2);
    if (present === width) {
      for (let step = 0; step < depth; step++) {
        for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(source + i));
        to += bytes;
        source += stride;
      }
    } else {
      for (let step = 0; step < depth; step++) {
        for (let i = 0; i < width; i++) {
          store<f32>(to, i < present ? load<f32>(source + ((<usize>i) << 2)) : 0);
          to += 4;
        }
        source += stride;
      }
    }
  }
}

/** Panels of a matrix whose inner dimension lies along memory: `from [count, depth]`, panels `[depth][width]`. */
function packAcross(from: usize, stride: usize, count: i32, depth: i32, width: i32, to: usize): void {
  const panelBytes = (<usize>width * depth) << 2;
  for (let first = 0; first < count; first += width) {
    for (let lane = 0; lane < width; lane += 4) {
      turnFourRows(from, stride, count - first - lane, depth, to + ((<usize>lane) << 2), (<usize>width) << 2);
      from += stride << 2;
    }
    to += panelBytes;
  }
}

/** Writes `depth` groups of four, `toStride` apart, out of four rows of which `present` are there. */
function turnFourRows(from: usize, stride: usize, present: i32, depth: i32, to: usize, toStride: usize): void {
  let step = 0;
  if (present >= 4) {
    const from1 = from + stride;
    const from2 = from1 + stride;
    const from3 = from2 + stride;
    for (; step + 4 <= depth; step += 4) {
      const offset = (<usize>step) << 2;
      const row0 = v128.load(from + offset);
      const row1 = v128.load(from1 + offset);
      const row2 = v128.load(from2 + offset);
      const row3 = v128.load(from3 + offset);
      const low01 = v128.shuffle<f32>(row0, row1, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(row0, row1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(row2, row3, 0, 4, 1, 5);
      const high23 = v128.shuffle<f32>(row2, row3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
      v128.store(to + toStride, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
      v128.store(to + toStride * 2, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
      v128.store(to + toStride * 3, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
      to += toStride << 2;
    }
  }
  for (; step < depth; step++) {
    let source = from + ((<usize>step) << 2);
    for (let lane = 0; lane < 4; lane++) {
      store<f32>(to + ((<usize>lane) << 2), lane < present ? load<f32>(source) : 0);
      source += stride;
    }
    to += toStride;
  }
}

/** Panels of four rows of `a [rows, depth]`, which is stored as `[depth, rows]` if `transposed`. */
export function packRows(a: usize, stride: usize, transposed: bool, rows: i32, depth: i32, to: usize): void {
  if (transposed) packAlong(a, stride, rows, depth, tileRows, to);
  else packAcross(a, stride, rows, depth, tileRows, to);
}

/** Panels of a tile's columns of `b [depth, columns]`, which is stored as `[columns, depth]` if `transposed`. */
export function packColumns(b: usize, stride: usize, transposed: bool, depth: i32, columns: i32, to: usize): void {
  if (transposed) packAcross(b, stride, columns, depth, tileColumns, to);
  else packAlong(b, stride, columns, depth, tileColumns, to);
}

/** The next multiple of a power of two. */
export function roundUp(count: i32, multiple: i32): i32 {
  return (count + multiple - 1) & -multiple;
}
