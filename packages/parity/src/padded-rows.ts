// Rows of a padded batch: their tokens without the padding, and back again.

/** The real tokens of one row of a batch `[rows, columns]`. */
export interface RealTokens {
  /** Columns of the real tokens, ascending. */
  columns: number[];
  ids: number[];
}

/** Leaves out the columns of each row whose mask is 0. */
export function realTokens(ids: readonly (readonly number[])[], mask: readonly (readonly number[])[]): RealTokens[] {
  return ids.map((row, b) => {
    const columns = row.flatMap((_, t) => (mask[b]![t] === 1 ? [t] : []));
    return { columns, ids: columns.map((t) => row[t]!) };
  });
}

/** Of row-major `values [rows * columns, width]`, those of real tokens. */
export function atRealTokens(values: Float32Array, mask: readonly (readonly number[])[]): Float32Array {
  const flags = mask.flat();
  const width = values.length / flags.length;
  const kept = flags.flatMap((real, place) => (real === 1 ? [place] : []));
  return atPlaces(values, kept, width);
}

/** Picks rows of `width` numbers. */
export function atPlaces(values: Float32Array, places: readonly number[], width: number): Float32Array {
  const picked = new Float32Array(places.length * width);
  places.forEach((place, i) => {
    picked.set(values.subarray(place * width, (place + 1) * width), i * width);
  });
  return picked;
}
