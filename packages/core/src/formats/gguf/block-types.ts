// The storage types of GGUF tensors: block sizes, and how a block becomes float32.
// Layouts follow the format's reference implementation (ggml); quantised weights are scale * integer (+ offset).
import { bfloat16ToFloat32, float16ToFloat32 } from '../float16.js';
import { readFloat16, readUint32 } from './little-endian.js';
import { dequantizeQ4K, dequantizeQ5K, dequantizeQ6K } from './k-quants.js';

/** How tensors of one type are laid out. */
export interface BlockType {
  readonly name: string;
  /** Elements of one block; rows are whole numbers of blocks. */
  readonly elements: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** Decodes whole blocks into `target`; both start at a block. */
  readonly decode: (source: Uint8Array<ArrayBuffer>, target: Float32Array) => void;
}

/** By the type number of the file; what is missing is not supported. */
export const blockTypes: ReadonlyMap<number, BlockType> = new Map<number, BlockType>([
  [0, { name: 'F32', elements: 1, bytes: 4, decode: decodeF32 }],
  [1, { name: 'F16', elements: 1, bytes: 2, decode: decodeF16 }],
  [2, { name: 'Q4_0', elements: 32, bytes: 18, decode: dequantizeQ40 }],
  [3, { name: 'Q4_1', elements: 32, bytes: 20, decode: dequantizeQ41 }],
  [6, { name: 'Q5_0', elements: 32, bytes: 22, decode: dequantizeQ50 }],
  [7, { name: 'Q5_1', elements: 32, bytes: 24, decode: dequantizeQ51 }],
  [8, { name: 'Q8_0', elements: 32, bytes: 34, decode: dequantizeQ80 }],
  [12, { name: 'Q4_K', elements: 256, bytes: 144, decode: dequantizeQ4K }],
  [13, { name: 'Q5_K', elements: 256, bytes: 176, decode: dequantizeQ5K }],
  [14, { name: 'Q6_K', elements: 256, bytes: 210, decode: dequantizeQ6K }],
  [30, { name: 'BF16', elements: 1, bytes: 2, decode: decodeBF16 }],
]);

/** Names of types that exist but are not read here, for error messages. */
export const otherTypeNames: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
]);

function decodeF32({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, target: Float32Array): void {
  target.set(new Float32Array(buffer, byteOffset, target.length));
}

function decodeF16({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, target: Float32Array): void {
  float16ToFloat32(new Uint16Array(buffer, byteOffset, target.length), target);
}

function decodeBF16({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, target: Float32Array): void {
  bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, target.length), target);
}

/** 16 bytes hold 32 numbers: the lower halves are the first 16, the upper halves the last 16. */
function dequantizeQ40(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 18, out += 32) {
    const scale = readFloat16(source, at);
    for (let i = 0; i < 16; i++) {
      const pair = source[at + 2 + i]!;
      target[out + i] = scale * ((pair & 15) - 8);
      target[out + 16 + i] = scale * ((pair >>> 4) - 8);
    }
  }
}

function dequantizeQ41(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 20, out += 32) {
    const scale = readFloat16(source, at);
    const offset = readFloat16(source, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = source[at + 4 + i]!;
      target[out + i] = scale * (pair & 15) + offset;
      target[out + 16 + i] = scale * (pair >>> 4) + offset;
    }
  }
}

/** As Q4_0 with a fifth bit of each number in a 32-bit word. */
function dequantizeQ50(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 22, out += 32) {
    const scale = readFloat16(source, at);
    const high = readUint32(source, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = source[at + 6 + i]!;
      target[out + i] = scale * (((pair & 15) | (((high >>> i) & 1) << 4)) - 16);
      target[out + 16 + i] = scale * (((pair >>> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  }
}

function dequantizeQ51(source: Uint8Array, target: Float32Array): void {
  for (let at = 0, out = 0; out < target.length; at += 24, out += 32) {
    const scale = readFloat16(source, at);
    const offset = readFloat16(source, at + 2);
    const high = readUint32(source, at + 4);
    for (let i = 0; i < 16; i++) {
      const pair = source[at + 8 + i]!;
      target[out + i] = scale * ((pair & 15) | (((high >>> i) & 1) << 4)) + offset;
      target[out + 16 + i] = scale * ((pair >>> 4) | (((high >>> (i + 16)) & 1) << 4)) + offset;
    }
  }
}

function dequantizeQ80(source: Uint8Array, target: Float32Array): void {
  const signed = new Int8Array(source.buffer, source.byteOffset, source.length);
  for (let at = 0, out = 0; out < target.length; at += 34, out += 32) {
    const scale = readFloat16(source, at);
    for (let i = 0; i < 32; i++) target[out + i] = scale * signed[at + 2 + i]!;
  }
}
