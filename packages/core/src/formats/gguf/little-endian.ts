// Numbers inside of quantised blocks, which are not aligned.
import { float16ToNumber } from '../float16.js';

export function readFloat16(source: Uint8Array, at: number): number {
  return float16ToNumber(source[at]! | (source[at + 1]! << 8));
}

/** As a signed 32-bit pattern; fit for shifts. */
export function readUint32(source: Uint8Array, at: number): number {
  return source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
}
