import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float16ToNumber,
  float32ToBfloat16,
  float32ToFloat16,
} from './float16.js';

const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);
const isNan16 = (bits: number, exponent: number) => (bits & 0x7fff) > exponent;

function toFloat16(...values: number[]): number[] {
  const target = new Uint16Array(values.length);
  float32ToFloat16(Float32Array.from(values), target);
  return [...target];
}

function toBfloat16(...values: number[]): number[] {
  const target = new Uint16Array(values.length);
  float32ToBfloat16(Float32Array.from(values), target);
  return [...target];
}

describe('float16', () => {
  it('gives every bit pattern back', () => {
    const wide = new Float32Array(65536);
    const back = new Uint16Array(65536);
    float16ToFloat32(everyPattern, wide);
    float32ToFloat16(wide, back);
    const wrong = everyPattern.filter((bits) =>
      isNan16(bits, 0x7c00) ? !isNan16(back[bits]!, 0x7c00) : back[bits] !== bits,
    );
    expect([...wrong]).toEqual([]);
  });

  it('knows the values of the standard', () => {
    const names: [number, number][] = [
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xc000, -2],
    ];
    for (const [bits, value] of names) expect(float16ToNumber(bits)).toBe(value);
    expect(Object.is(float16ToNumber(0x8000), -0)).toBe(true);
  });

  it('rounds ties to even and overflows to infinity', () => {
    expect(toFloat16(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([0x3c00, 0x3c02, 0x3c01]);
    expect(toFloat16(65519.99, 65520, -1e30, 2 ** -25, 2 ** -25 * 1.001, 3 * 2 ** -25)).toEqual([
      0x7bff, 0x7c00, 0xfc00, 0, 1, 2,
    ]);
    expect(toFloat16(2 ** -14 - 2 ** -26)).toEqual([0x0400]);
  });

  it('picks the nearest of all values for any number', () => {
    const table = new Float32Array(65536);
    float16ToFloat32(everyPattern, table);
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const bits = toFloat16(value)[0]!;
        const error = Math.abs(table[bits]! - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = table[neighbour & 0xffff]!;
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });
});

describe('bfloat16', () => {
  it('gives every bit pattern back', () => {
    const wide = new Float32Array(65536);
    const back = new Uint16Array(65536);
    bfloat16ToFloat32(everyPattern, wide);
    float32ToBfloat16(wide, back);
    const wrong = everyPattern.filter((bits) =>
      isNan16(bits, 0x7f80) ? !isNan16(back[bits]!, 0x7f80) : back[bits] !== bits,
    );
    expect([...wrong]).toEqual([]);
  });

  it('rounds ties to even, keeps NaN and overflows to infinity', () => {
    expect(toBfloat16(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20)).toEqual([0x3f80, 0x3f82, 0x3f81]);
    expect(toBfloat16(3.4028234663852886e38, -Infinity)).toEqual([0x7f80, 0xff80]);
    // A NaN whose payload is in the lower half only must not become infinite.
    const nan = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    const target = new Uint16Array(1);
    float32ToBfloat16(nan, target);
    expect(isNan16(target[0]!, 0x7f80)).toBe(true);
  });
});
