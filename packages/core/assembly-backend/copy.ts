// Copies of runs of memory, and sums over rows.

/** Copies `count` runs of `bytes` bytes, a multiple of four; they lie `fromStride` and `toStride` apart. */
export function copyRuns(from: usize, fromStride: usize, to: usize, toStride: usize, bytes: usize, count: i32): void {
  if (bytes >= 2048) {
    for (; count > 0; count--) {
      memory.copy(to, from, bytes);
      from += fromStride;
      to += toStride;
    }
    return;
  }
  const vectorBytes = bytes & ~15;
  for (; count > 0; count--) {
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(to + i, v128.load(from + i));
    for (; i < bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
    from += fromStride;
    to += toStride;
  }
}

/** `y [columns] = sum over rows of x [rows, columns]`. */
export function sumRows(x: usize, y: usize, rows: i32, columns: i32): void {
  const bytes = (<usize>columns) << 2;
  const vectorBytes = bytes & ~15;
  memory.fill(y, 0, bytes);
  for (let row = 0; row < rows; row++) {
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(x + i)));
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(x + i));
    x += bytes;
  }
}
