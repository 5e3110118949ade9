// Which matrix of a broadcast operand belongs to each matrix of a batched result.

/**
 * For each position of `batchShape` in row-major order, the row-major position in an operand with leading dimensions
 * `dimensions`, which are aligned at the right and may be 1 where the batch is larger.
 */
export function batchIndices(dimensions: readonly number[], batchShape: readonly number[]): number[] {
  const missing = batchShape.length - dimensions.length;
  const strides = new Array<number>(batchShape.length).fill(0);
  let stride = 1;
  for (let axis = dimensions.length - 1; axis >= 0; axis--) {
    if (dimensions[axis] !== 1) strides[axis + missing] = stride;
    stride *= dimensions[axis]!;
  }
  let indices = [0];
  for (const [axis, size] of batchShape.entries()) {
    indices = indices.flatMap((index) => Array.from({ length: size }, (_, step) => index + step * strides[axis]!));
  }
  return indices;
}
