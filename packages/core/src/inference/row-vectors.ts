// Vectors of the rows of a batch, each row with as many columns as it has.

/** By row, vectors `[columns, hidden]` one after the other; undefined for a row that takes no part. */
export type RowVectors = readonly (Float32Array | undefined)[];

/** Arrays as one. */
export function joinVectors(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** The vectors of all rows, row after row. */
export function packRows(rows: RowVectors): Float32Array {
  return joinVectors(rows.filter((row) => row !== undefined));
}

/**
 * What {@link packRows} has put together, apart again: views.
 * @param lengths - numbers of each row; undefined for one that takes no part.
 */
export function unpackRows(all: Float32Array, lengths: readonly (number | undefined)[]): (Float32Array | undefined)[] {
  let end = 0;
  return lengths.map((length) => {
    if (length === undefined) return undefined;
    end += length;
    return all.subarray(end - length, end);
  });
}
