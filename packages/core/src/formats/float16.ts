// The 16-bit floats: float16 and bfloat16 to float32 and back, exact, to nearest even.

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);
let widened: Uint32Array | undefined;

/** Widens bfloat16 bit patterns into `target` (same length); every value is exact. */
export function bfloat16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

/** Widens float16 bit patterns into `target` (same length); every value is exact. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array): void {
  // There are only 65 536 of them: a table beats arithmetic.
  widened ??= Uint32Array.from({ length: 65536 }, (_, half) => widenFloat16(half));
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = widened[source[i]!]!;
}

/** One float16 bit pattern as a number; for the scales inside quantised blocks. */
export function float16ToNumber(half: number): number {
  word[0] = widenFloat16(half);
  return real[0]!;
}

/** Rounds float32 to bfloat16 bit patterns, ties to even; NaN stays NaN, what is too large becomes infinite. */
export function float32ToBfloat16(source: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) {
    const value = bits[i]!;
    // The carry of the addition runs into the exponent by itself; a NaN must not be carried to infinity.
    target[i] =
      (value & 0x7fffffff) > 0x7f800000 ? (value >>> 16) | 0x40 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
}

/** Rounds float32 to float16 bit patterns, ties to even; NaN stays NaN, what is too large becomes infinite. */
export function float32ToFloat16(source: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) target[i] = narrowToFloat16(bits[i]!);
}

function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: fraction * 2^-24, which is a normal float32; shift its leading one into the implicit place.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and more
  if (magnitude >= 0x38800000) {
    // Normal: re-bias the exponent and round; a carry out of the fraction (65520 and more) gives infinity.
    const rebiased = magnitude - (112 << 23);
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // Subnormal: the number of units of 2^-24.
  word[0] = magnitude;
  const units = real[0]! * 2 ** 24;
  const floor = Math.floor(units);
  const rest = units - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}
