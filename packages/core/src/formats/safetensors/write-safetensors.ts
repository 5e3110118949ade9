// Writes tensors that are in memory as a safetensors file.
import { MemGenError } from '@memgen/common';
import { floatPieces, type WeightDtype } from './narrow-floats.js';
import { streamSafetensors, type StreamedTensor } from './stream-safetensors.js';

/** A tensor to be stored. */
export interface TensorToWrite {
  name: string;
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
  /** How to store it; narrower types round to nearest even. @default 'F32' */
  dtype?: WeightDtype;
}

/**
 * Writes tensors in the order of the reference implementation (widest type first, then by name), so that equal tensors
 * give equal bytes whatever the order of `tensors`.
 *
 * @param metadata - stored as `__metadata__`; other tools want `format`, so it is there by default.
 * @throws MemGenError `tensor-overflow` (a finite value that F16 or BF16 cannot hold), `tensor-shape` and those of
 * {@link streamSafetensors}. The file that was there before is then untouched.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  { metadata }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const streamed = tensors.map((tensor) => toStreamed(tensor, path));
  await streamSafetensors(path, streamed, metadata === undefined ? {} : { metadata });
}

function toStreamed({ name, shape, data, dtype = 'F32' }: TensorToWrite, path: string): StreamedTensor {
  const where = `${path}, tensor "${name}"`;
  const elements = shape.reduce((product, count) => product * count, 1);
  const isShape = shape.every((count) => Number.isSafeInteger(count) && count >= 0);
  // Told here in values; the writer would tell it in bytes, when part of the file is written.
  if (isShape && elements === data.length) return { name, shape, dtype, pieces: () => floatPieces(data, dtype, where) };
  throw new MemGenError({
    code: 'tensor-shape',
    where,
    message: 'the shape does not fit the data',
    got: `${data.length} values`,
    expected: `${elements} for the shape [${shape.join(', ')}]`,
  });
}
