// Group h: storage types of safetensors files, to the bit.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '@memgen/core';
import { z } from 'zod';
import type { Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';

const hexadecimal = z.array(z.string());
const expected = z.object({
  bf16_f32_bits: hexadecimal,
  f16_f32_bits: hexadecimal,
  f32_bits: hexadecimal,
  i64: z.array(z.string()),
  f64: z.array(z.string()),
  i32: z.array(z.number()),
  u8: z.array(z.number()),
  bool: z.array(z.boolean()),
  scalar: z.number(),
  f32_to_bf16: z.object({ f32_bits: hexadecimal, bf16_bits: hexadecimal }),
  shapes: z.record(z.string(), z.array(z.number())),
});

export async function checkDtypes(golden: GoldenCase, compare: Comparison): Promise<void> {
  const want = await golden.json(expected, 'expected.json');
  const io = await golden.tensors('mixed.safetensors');
  for (const [name, shape] of Object.entries(want.shapes))
    compare.exact(`shape of ${name}`, [...io.shape(name)], shape);
  compare.exact('bf16', bitsOf(await io.floats('bf16')), withoutPayloads(want.bf16_f32_bits));
  compare.exact('f16', bitsOf(await io.floats('f16')), withoutPayloads(want.f16_f32_bits));
  compare.exact('f32', bitsOf(await io.floats('f32')), withoutPayloads(want.f32_bits));
  const integers = new BigInt64Array((await io.file.readRaw('i64')).buffer);
  compare.exact('i64', [...integers], want.i64.map(BigInt));
  const doubles = want.f64.map(Number);
  compare.exact('f64', await io.file.readNumbers('f64'), doubles);
  compare.exact('f64 as float32', [...(await io.floats('f64'))], doubles.map(Math.fround));
  for (const name of ['i32', 'u8', 'bool'] as const) {
    compare.exact(name, await io.file.readNumbers(name), want[name].map(Number));
  }
  compare.exact('scalar', [...(await io.floats('scalar'))], [want.scalar]);
  compare.exact('empty', [...(await io.floats('empty'))], []);
  compare.exact('float32 to bf16', await toBfloat16(floatsOf(want.f32_to_bf16.f32_bits)), want.f32_to_bf16.bf16_bits);
}

/** Writes numbers as bfloat16 and returns their bit patterns. */
async function toBfloat16(data: Float32Array): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'memgen-parity-'));
  try {
    const path = join(folder, 'rounded.safetensors');
    await writeSafetensors(path, [{ name: 'x', shape: [data.length], data, dtype: 'BF16' }]);
    const file = await openSafetensors(path);
    try {
      const bits = new Uint16Array((await file.readRaw('x')).buffer);
      return Array.from(bits, (value) => value.toString(16).padStart(4, '0'));
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Big-endian hexadecimal bit patterns of float32 numbers. */
function bitsOf(values: Float32Array): string[] {
  return Array.from(values, (value, i) => (Number.isNaN(value) ? 'NaN' : hexadecimalAt(values, i)));
}

function hexadecimalAt(values: Float32Array, i: number): string {
  return new Uint32Array(values.buffer, values.byteOffset + 4 * i, 1)[0]!.toString(16).padStart(8, '0');
}

/** Which of its many bit patterns a NaN has may differ. */
function withoutPayloads(patterns: readonly string[]): string[] {
  return bitsOf(floatsOf(patterns));
}

function floatsOf(patterns: readonly string[]): Float32Array {
  return new Float32Array(Uint32Array.from(patterns, (pattern) => parseInt(pattern, 16)).buffer);
}
