// Puts the rows of Llama query and key projections back into the Hugging Face order.
import { MemGenError } from '@memgen/common';

/**
 * GGUF pairs neighbouring rows for the rotary embedding, Hugging Face pairs row i of a head with row i + half. Row
 * `half * h + i` (h = 0, 1) of each head comes from row `2 i + h`.
 *
 * @param values - of `[heads * headSize, in]` or a bias `[heads * headSize]`.
 * @returns a new array.
 */
export function undoRotaryPermutation(
  values: Float32Array,
  { heads, shape, name }: { heads: number; shape: readonly number[]; name: string },
): Float32Array {
  const rows = shape[0] ?? 0;
  const half = rows / heads / 2;
  if (!(Number.isInteger(half) && half > 0 && values.length % rows === 0)) {
    throw new MemGenError({
      code: 'gguf-tensor',
      where: `tensor "${name}"`,
      message: 'its rows cannot be divided among the attention heads',
      got: `${rows} rows, ${heads} heads`,
      expected: 'an even number of rows for each head',
      hint: 'the file is damaged; get it again',
    });
  }
  const width = values.length / rows;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / (2 * half));
    const inHead = row % (2 * half);
    const source = head * 2 * half + 2 * (inHead % half) + Math.floor(inHead / half);
    result.set(values.subarray(source * width, (source + 1) * width), row * width);
  }
  return result;
}
