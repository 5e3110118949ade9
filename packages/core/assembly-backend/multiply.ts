// Product of two matrices, either stored transposed: blocked for the caches, packed on the way (Goto and van de Geijn 2008).
import { multiplyAdd } from '../assembly/lanes';
import { packColumns, packRows, roundUp } from './packing';
import { multiplyPanels, tileBytes, tileRowBytes } from './tile';

// A block of the left matrix stays in the second cache, a panel of the right one in the first.
const mostRows: i32 = 384;
const mostDepth: i32 = 384;
/** Columns that are packed together: long runs of memory where the right matrix is not transposed. */
const blockColumns: i32 = 64;
/** Up to so many rows, packing a right matrix costs more than multiplying by it. */
const fewRows: i32 = 12;
/** Columns of a few rows that stay in the first cache. */
const fewRowsColumns: i32 = 512;

/** `total` in equal parts of at most `most`: the size of one. */
function part(total: i32, most: i32): i32 {
  const parts = max(1, (total + most - 1) / most);
  return roundUp((total + parts - 1) / parts, 4);
}

/** Bytes of room that {@link multiply} needs. */
export function multiplyBytes(rows: i32, inner: i32): usize {
  return ((<usize>part(inner, mostDepth) * (part(rows, mostRows) + blockColumns)) << 2) + tileBytes;
}

/**
 * `c [rows, columns] = a [rows, inner] b [inner, columns]`. Each sum is taken in the order of the inner dimension, in
 * blocks of a size that depends on `inner` alone.
 * @param transposeA - `a` is stored as `[inner, rows]`.
 * @param transposeB - `b` is stored as `[columns, inner]`.
 */
export function multiply(
  a: usize,
  transposeA: bool,
  b: usize,
  transposeB: bool,
  c: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  room: usize,
): void {
  const cStride = (<usize>columns) << 2;
  if (rows <= fewRows && !transposeB && !(transposeA && rows > 1)) {
    multiplyFewRows(a, b, c, rows, inner, columns);
    return;
  }
  const aStride = (<usize>(transposeA ? rows : inner)) << 2;
  const bStride = (<usize>(transposeB ? inner : columns)) << 2;
  const blockRows = part(rows, mostRows);
  const blockDepth = part(inner, mostDepth);
  const packedA = room + tileBytes;
  const packedB = packedA + ((<usize>blockRows * blockDepth) << 2);
  for (let row = 0; row < rows; row += blockRows) {
    const height = min(blockRows, rows - row);
    for (let step = 0; step < inner; step += blockDepth) {
      const depth = min(blockDepth, inner - step);
      packRows(at(a, aStride, transposeA, row, step), aStride, transposeA, height, depth, packedA);
      for (let column = 0; column < columns; column += blockColumns) {
        const width = min(blockColumns, columns - column);
        packColumns(at(b, bStride, transposeB, step, column), bStride, transposeB, depth, width, packedB);
        multiplyPanels(
          packedA,
          packedB,
          tileRowBytes * depth,
          at(c, cStride, false, row, column),
          cStride,
          height,
          depth,
          width,
          step > 0,
          room,
        );
      }
    }
  }
}

/** Address of an element of a matrix. */
function at(matrix: usize, stride: usize, transposed: bool, row: i32, column: i32): usize {
  if (transposed) return matrix + stride * column + ((<usize>row) << 2);
  return matrix + stride * row + ((<usize>column) << 2);
}

/** The same for so few rows that reading `b` is all the work: in the order in which it lies, four rows of it at a time. */
function multiplyFewRows(a: usize, b: usize, c: usize, rows: i32, inner: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  memory.fill(c, 0, stride * rows);
  for (let column = 0; column < columns; column += fewRowsColumns) {
    const bytes = (<usize>min(fewRowsColumns, columns - column)) << 2;
    const bBlock = b + ((<usize>column) << 2);
    const cBlock = c + ((<usize>column) << 2);
    for (let step = 0; step < inner; step += 4) {
      const present = min(4, inner - step);
      for (let row = 0; row < rows; row++) {
        const factors = a + ((<usize>(row * inner + step)) << 2);
        const sums = cBlock + stride * row;
        const from = bBlock + stride * step;
        if (present === 4) addFourRows(factors, from, stride, sums, bytes);
        else
          for (let i = 0; i < present; i++)
            addRow(load<f32>(factors + ((<usize>i) << 2)), from + stride * i, sums, bytes);
      }
    }
  }
}

function addFourRows(factors: usize, from: usize, stride: usize, sums: usize, bytes: usize): void {
  const factor0 = v128.load32_splat(factors);
  const factor1 = v128.load32_splat(factors, 4);
  const factor2 = v128.load32_splat(factors, 8);
  const factor3 = v128.load32_splat(factors, 12);
  const from1 = from + stride;
  const from2 = from1 + stride;
  const from3 = from2 + stride;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    let sum = v128.load(sums + i);
    sum = multiplyAdd(sum, factor0, v128.load(from + i));
    sum = multiplyAdd(sum, factor1, v128.load(from1 + i));
    sum = multiplyAdd(sum, factor2, v128.load(from2 + i));
    sum = multiplyAdd(sum, factor3, v128.load(from3 + i));
    v128.store(sums + i, sum);
  }
  for (; i < bytes; i += 4) {
    let sum = load<f32>(sums + i);
    sum += load<f32>(factors) * load<f32>(from + i);
    sum += load<f32>(factors, 4) * load<f32>(from1 + i);
    sum += load<f32>(factors, 8) * load<f32>(from2 + i);
    sum += load<f32>(factors, 12) * load<f32>(from3 + i);
    store<f32>(sums + i, sum);
  }
}

function addRow(factor: f32, from: usize, sums: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(sums + i, load<f32>(sums + i) + factor * load<f32>(from + i));
}
