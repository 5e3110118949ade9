import { afterEach, expect, it, vi } from 'vitest';
import { kernelsBase64 } from '../step-decoder/kernels.wasm.js';
import type { Kernels } from '../step-decoder/kernels.js';
import { compile, createMemory, instantiate, joinsVectors, type ModuleVariants } from './web-assembly.js';

const { simd, relaxedSimd, wide } = kernelsBase64;

/** `1 - (1 - 2^-23) (1 + 2^-23)` is 2^-46 where product and sum are rounded once, and 0 where the product is before. */
function roundsOnce(variants: ModuleVariants): boolean {
  const memory = createMemory();
  const kernels = instantiate(variants, memory) as Kernels;
  const floats = new Float32Array(memory.buffer);
  const [x, weights, y] = [1024, 2048, 3072];
  floats.set([1, 0, -(1 - 2 ** -23)], x / 4);
  floats.fill(1, weights / 4, weights / 4 + 32);
  floats.fill(1 + 2 ** -23, weights / 4 + 32, weights / 4 + 48);
  kernels.multiplyFloat32(x, 1, 3, weights, 0, 8, y, 0);
  return floats[y / 4] === 2 ** -46;
}

it('takes the variant with relaxed SIMD where the engine has it, as Node has', () => {
  // A processor without an instruction that multiplies and adds (before 2013) fails here and takes no harm.
  expect(roundsOnce({ simd, relaxedSimd })).toBe(true);
  expect(roundsOnce({ simd, relaxedSimd: simd })).toBe(false);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

it('joins vectors with the version of Node that is tested so, unless it is told not to', () => {
  // A processor without vectors of 256 bits fails here and takes no harm.
  expect(joinsVectors()).toBe(process.arch === 'x64' && process.versions.node.startsWith('24.'));
  vi.stubEnv('MEMGEN_WIDE_VECTORS', '0');
  expect(joinsVectors()).toBe(false);
});

it('computes the same to the bit with joined vectors', () => {
  const products = [
    { simd, relaxedSimd },
    { simd, relaxedSimd: wide },
    { simd, relaxedSimd, wide },
  ].map((variants) => {
    const memory = createMemory();
    memory.grow(1);
    const kernels = instantiate(variants, memory) as Kernels;
    const [rows, inputs, outputs] = [9, 37, 48];
    const [x, weights, y] = [1024, 8192, 65536];
    const floats = new Float32Array(memory.buffer);
    for (let i = 0; i < rows * inputs; i++) floats[x / 4 + i] = Math.sin(i);
    for (let i = 0; i < inputs * outputs; i++) floats[weights / 4 + i] = Math.cos(i);
    kernels.multiplyFloat32(x, rows, inputs, weights, 0, outputs, y, 0);
    return [...floats.subarray(y / 4, y / 4 + rows * outputs)];
  });
  expect(products[0]!.every((number) => number !== 0)).toBe(true);
  expect(products[1]).toEqual(products[0]);
  expect(products[2]).toEqual(products[0]);
});

it('takes the other variant where the engine refuses it', () => {
  const broken = Buffer.from([...Buffer.from(simd, 'base64'), 255]).toString('base64');
  expect(roundsOnce({ simd, relaxedSimd: broken })).toBe(false);
  expect(() => compile({ simd: broken, relaxedSimd: broken })).toThrow(/WebAssembly\.Module/);
});
