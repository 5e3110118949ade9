// The element types of safetensors files: their sizes and how their bytes become numbers.
import { MemGenError } from '@memgen/common';
import { bfloat16ToFloat32, float16ToFloat32 } from '../float16.js';

/** Types that {@link decodeFloats} turns into float32. */
export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16';

/** Bytes of one element, for every type of whole bytes that the format knows. */
export const dtypeSizes: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E5M2', 1],
  ['F8_E4M3', 1],
  ['F8_E8M0', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['F64', 8],
  ['I64', 8],
  ['U64', 8],
  ['C64', 8],
]);

export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** Decodes little-endian floats into `target`; `bytes` must be aligned to the element size. F64 is rounded. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, dtype: FloatDtype, target: Float32Array): void {
  const { buffer, byteOffset } = bytes;
  switch (dtype) {
    case 'F32':
      target.set(new Float32Array(buffer, byteOffset, target.length));
      break;
    case 'F64':
      target.set(new Float64Array(buffer, byteOffset, target.length));
      break;
    case 'F16':
      float16ToFloat32(new Uint16Array(buffer, byteOffset, target.length), target);
      break;
    case 'BF16':
      bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, target.length), target);
      break;
  }
}

/**
 * Decodes any real type to JavaScript numbers without loss; booleans as 0 and 1.
 *
 * @throws MemGenError `tensor-type` for complex and 8-bit floats, `tensor-value` for a 64-bit integer beyond 2^53.
 */
export function decodeNumbers(bytes: Uint8Array<ArrayBuffer>, dtype: string, name: string): number[] {
  const { buffer, byteOffset } = bytes;
  const length = bytes.length / (dtypeSizes.get(dtype) ?? 1);
  switch (dtype) {
    case 'BOOL':
    case 'U8':
      return Array.from(bytes);
    case 'I8':
      return Array.from(new Int8Array(buffer, byteOffset, length));
    case 'I16':
      return Array.from(new Int16Array(buffer, byteOffset, length));
    case 'U16':
      return Array.from(new Uint16Array(buffer, byteOffset, length));
    case 'I32':
      return Array.from(new Int32Array(buffer, byteOffset, length));
    case 'U32':
      return Array.from(new Uint32Array(buffer, byteOffset, length));
    case 'I64':
      return Array.from(new BigInt64Array(buffer, byteOffset, length), (value) => toSafeNumber(value, name));
    case 'U64':
      return Array.from(new BigUint64Array(buffer, byteOffset, length), (value) => toSafeNumber(value, name));
    case 'F64':
      return Array.from(new Float64Array(buffer, byteOffset, length));
  }
  if (!isFloatDtype(dtype)) {
    throw new MemGenError({
      code: 'tensor-type',
      where: name,
      message: 'numbers of this type cannot be read',
      got: dtype,
      expected: 'an integer, boolean, F16, BF16, F32 or F64 tensor',
    });
  }
  const floats = new Float32Array(length);
  decodeFloats(bytes, dtype, floats);
  return Array.from(floats);
}

function toSafeNumber(value: bigint, name: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new MemGenError({
    code: 'tensor-value',
    where: name,
    message: 'a 64-bit integer is too large for a JavaScript number',
    got: String(value),
    expected: 'at most 9007199254740991 in magnitude',
    hint: 'read the bytes with readRaw',
  });
}
