// Transposes a matrix into a part of a wider one, in blocks that stay in the processor's cache.

const block = 32;

/**
 * Writes the transpose of `source [rows, columns]` to the columns `offset ... offset + rows` of `target [columns, width]`.
 */
export function transposeInto(
  source: Float32Array,
  rows: number,
  columns: number,
  target: Float32Array,
  width: number,
  offset: number,
): void {
  for (let r0 = 0; r0 < rows; r0 += block) {
    const r1 = Math.min(r0 + block, rows);
    for (let c0 = 0; c0 < columns; c0 += block) {
      const c1 = Math.min(c0 + block, columns);
      for (let c = c0; c < c1; c++) {
        const start = c * width + offset;
        for (let r = r0; r < r1; r++) target[start + r] = source[r * columns + c]!;
      }
    }
  }
}
