// The K-quantised GGUF types: blocks of 256 numbers with a scale for each group of 16 or 32 inside.
import { readFloat16 } from './little-endian.js';

/** Block: scale, scale of offsets (float16), 8 pairs of 6-bit scale and offset in 12 bytes, 128 bytes of 4-bit numbers. */
export function dequantizeQ4K(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 144, out += 256) {
    for (let group = 0; group < 8; group++) {
      const { scale, offset } = groupScale(source, at, group);
      // Two groups share 32 bytes: the lower halves and the upper halves.
      const numbers = at + 16 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        target[out + group * 32 + i] = scale * ((source[numbers + i]! >>> shift) & 15) - offset;
      }
    }
  }
}

/** As Q4_K with a fifth bit: bit `group` of 32 bytes that lie before the 4-bit numbers. */
export function dequantizeQ5K(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 176, out += 256) {
    for (let group = 0; group < 8; group++) {
      const { scale, offset } = groupScale(source, at, group);
      const high = at + 16;
      const numbers = at + 48 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const number = ((source[numbers + i]! >>> shift) & 15) | (((source[high + i]! >>> group) & 1) << 4);
        target[out + group * 32 + i] = scale * number - offset;
      }
    }
  }
}

/** Block: 128 bytes of lower 4 bits, 64 bytes of upper 2 bits, 16 signed scales of 16 numbers each, scale (float16). */
export function dequantizeQ6K(source: Uint8Array, target: Float32Array): void {
  const signed = new Int8Array(source.buffer, source.byteOffset, source.length);
  for (let at = 0, out = 0; out < target.length; at += 210, out += 256) {
    const scale = readFloat16(source, at + 208);
    for (let i = 0; i < 256; i++) {
      // Each half of 128 numbers is four runs of 32; a run takes a half byte of 64 bytes and 2 bits of 32 bytes.
      const half = i >> 7;
      const run = (i >> 5) & 3;
      const low = source[at + half * 64 + (run & 1) * 32 + (i & 31)]! >>> ((run >> 1) * 4);
      const high = source[at + 128 + half * 32 + (i & 31)]! >>> (run * 2);
      const number = ((low & 15) | ((high & 3) << 4)) - 32;
      target[out + i] = scale * signed[at + 192 + (i >> 4)]! * number;
    }
  }
}

/** Scale and offset of one of the 8 groups of a Q4_K or Q5_K block that starts at `at`. */
function groupScale(source: Uint8Array, at: number, group: number): { scale: number; offset: number } {
  const packed = (i: number): number => source[at + 4 + i]!;
  const low = group < 4;
  // The first four are 6 bits each; of the others, 4 bits lie in the last four bytes and 2 bits above the first ones.
  const scale = low ? packed(group) & 63 : (packed(group + 4) & 15) | ((packed(group - 4) >>> 6) << 4);
  const offset = low ? packed(group + 4) & 63 : (packed(group + 4) >>> 4) | ((packed(group) >>> 6) << 4);
  return { scale: readFloat16(source, at) * scale, offset: readFloat16(source, at + 2) * offset };
}
