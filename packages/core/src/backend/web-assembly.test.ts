import { expect, it } from 'vitest';
import { kernelsBase64 } from '../step-decoder/kernels.wasm.js';
import type { Kernels } from '../step-decoder/kernels.js';
import { compile, createMemory, instantiate, type ModuleVariants } from './web-assembly.js';

const { simd, relaxedSimd } = kernelsBase64;

/** `1 - (1 - 2^-23) (1 + 2^-23)` is 2^-46 where product and sum are rounded once, and 0 where the product is before. */
function roundsOnce(variants: ModuleVariants): boolean {
  const memory = createMemory();
  const kernels = instantiate(variants, memory) as Kernels;
  const floats = new Float32Array(memory.buffer);
  const [x, weights, y] = [1024, 2048, 3072];
  floats.set([1, -(1 - 2 ** -23)], x / 4);
  floats.fill(1, weights / 4, weights / 4 + 8);
  floats.fill(1 + 2 ** -23, weights / 4 + 8, weights / 4 + 16);
  kernels.multiplyFloat32(x, 1, 2, weights, 0, 8, y, 0);
  return floats[y / 4] === 2 ** -46;
}

it('takes the variant with relaxed SIMD where the engine has it, as Node has', () => {
  // A processor without an instruction that multiplies and adds (before 2013) fails here and takes no harm.
  expect(roundsOnce({ simd, relaxedSimd })).toBe(true);
  expect(roundsOnce({ simd, relaxedSimd: simd })).toBe(false);
});

it('takes the other variant where the engine refuses it', () => {
  const broken = Buffer.from([...Buffer.from(simd, 'base64'), 255]).toString('base64');
  expect(roundsOnce({ simd, relaxedSimd: broken })).toBe(false);
  expect(() => compile({ simd: broken, relaxedSimd: broken })).toThrow(/WebAssembly\.Module/);
});
