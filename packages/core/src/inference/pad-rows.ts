// Rows of different lengths as a batch, padded on the left.
import type { MaskRow } from '../model/attention-columns.js';
import type { RowVectors } from './row-vectors.js';

export interface PaddedRows {
  /** `[rows, width, hidden]`, the columns of each row at its end, zeros before them. */
  values: Float32Array;
  width: number;
  /** `[rows][width]`; all zeros for a row that takes no part. */
  mask: MaskRow[];
}

export function padRows(vectors: RowVectors, hiddenSize: number): PaddedRows {
  const counts = vectors.map((row) => (row?.length ?? 0) / hiddenSize);
  const width = Math.max(...counts);
  const values = new Float32Array(vectors.length * width * hiddenSize);
  vectors.forEach((row, b) => {
    if (row !== undefined) values.set(row, (b + 1) * width * hiddenSize - row.length);
  });
  const mask = counts.map((count) => Array.from({ length: width }, (_, t) => (t < width - count ? 0 : 1)));
  return { values, width, mask };
}

/** Columns `start` to before `end` of each row; an array of its own unless that is all of them. */
export function sliceColumns(
  { values, width, mask }: PaddedRows,
  hiddenSize: number,
  start: number,
  end: number,
): PaddedRows {
  if (start === 0 && end === width) return { values, width, mask };
  const size = (end - start) * hiddenSize;
  const part = new Float32Array(mask.length * size);
  mask.forEach((_, b) => {
    const from = (b * width + start) * hiddenSize;
    part.set(values.subarray(from, from + size), b * size);
  });
  return { values: part, width: end - start, mask: mask.map((row) => row.slice(start, end)) };
}
