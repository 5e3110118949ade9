// Float32 to the bytes of the type that a weight file stores.
import { MemGenError } from '@memgen/common';
import { float32ToBfloat16, float32ToFloat16 } from '../float16.js';

/** Types that weights can be stored in. */
export type WeightDtype = 'F32' | 'BF16' | 'F16';

/** Narrowed a piece at a time, so that no second buffer of the tensor's size is needed. */
const pieceElements = 2 ** 20;

/**
 * The bytes of `values`, in pieces; BF16 and F16 round to nearest, ties to even.
 *
 * @throws MemGenError `tensor-overflow` for a finite value that the type cannot hold.
 */
export function* floatPieces(values: Float32Array, dtype: WeightDtype, where: string): Generator<Uint8Array> {
  for (let start = 0; start < values.length; start += pieceElements) {
    const piece = values.subarray(start, start + pieceElements);
    if (dtype === 'F32') yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    else yield narrow(piece, dtype, where);
  }
}

/** All of `values` at once. */
function narrow(values: Float32Array, dtype: 'F16' | 'BF16', where: string): Uint8Array {
  const bits = new Uint16Array(values.length);
  if (dtype === 'F16') float32ToFloat16(values, bits);
  else float32ToBfloat16(values, bits);
  const infinity = dtype === 'F16' ? 0x7c00 : 0x7f80;
  const lost = values.findIndex((value, i) => (bits[i]! & 0x7fff) === infinity && Number.isFinite(value));
  if (lost < 0) return new Uint8Array(bits.buffer);
  throw new MemGenError({
    code: 'tensor-overflow',
    where,
    message: `a value is too large for ${dtype}`,
    got: String(values[lost]),
    hint: dtype === 'F16' ? 'store it as BF16 or F32' : 'store it as F32',
  });
}
