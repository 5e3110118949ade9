// The compiled kernels are those of the sources, share the backend's memory, and need no second copy of weights.
import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { compileKernels, heapKernels as source } from '../../../../scripts/build-kernels.js';
import { startBackend } from '../../start-backend.js';
import { instantiate, type ModuleVariants, type WasmMemory } from '../../web-assembly.js';
import { heapKernels, withRoom, type HeapKernels } from './heap-kernels.js';
import { heapKernelsBase64 } from './heap-kernels.wasm.js';
import { address, asWasmEngine, float32View } from './wasm-engine.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

it('are those that the sources give', { timeout: 60_000 }, async () => {
  const committed = await readFile(new URL('./heap-kernels.wasm.ts', import.meta.url), 'utf8');
  // When this fails: run `pnpm --filter @memgen/core build-kernels`.
  expect(committed === (await compileKernels(source))).toBe(true);
});

it('work in place on tensors of the backend', () => {
  const engine = asWasmEngine(tf.backend());
  const [x, y] = [tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), tf.zeros([2])];
  heapKernels(engine).sumRows(...address(engine, x, y), 3, 2);
  expect([...y.dataSync()]).toEqual([9, 12]);
  expect(heapKernels(engine)).toBe(heapKernels(engine));
  tf.dispose([x, y]);
});

it('give room back, also after an error', () => {
  const engine = asWasmEngine(tf.backend());
  const places = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const use = () => {
      withRoom(engine, 1000, (place) => {
        places.add(place);
        throw new Error('no');
      });
    };
    expect(use).toThrow('no');
  }
  expect(places.size).toBe(1);
});

it('write nothing beyond their results', () => {
  const engine = asWasmEngine(tf.backend());
  const kernels = heapKernels(engine);
  for (const [rows, inner, columns] of [
    [1, 3, 5],
    [5, 3, 1],
    [9, 390, 67],
    [390, 5, 9],
  ] as const) {
    const [a, b, c] = [tf.ones([rows, inner]), tf.ones([inner, columns]), tf.fill([rows * columns + 8], 42)];
    const bytes = kernels.multiplyBytes(rows, inner);
    withRoom(engine, bytes + 32, (room) => {
      const end = new Float32Array(engine.wasm.HEAPU8.buffer, room + bytes, 8).fill(42);
      kernels.multiply(address(engine, a)[0], false, address(engine, b)[0], false, ...address(engine, c), rows, inner, columns, room); // prettier-ignore
      expect([...end]).toEqual(new Array<number>(8).fill(42));
    });
    const values = float32View(engine, c);
    expect([...values.subarray(rows * columns)]).toEqual(new Array<number>(8).fill(42));
    expect(values.subarray(0, rows * columns).every((value) => value === inner)).toBe(true);
    tf.dispose([a, b, c]);
  }
});

it('attend within the room that they ask for', () => {
  const engine = asWasmEngine(tf.backend());
  const kernels = heapKernels(engine);
  for (const [rows, columns, size] of [
    [1, 1, 1],
    [33, 5, 3],
    [40, 65, 4],
    [7, 9, 65],
  ] as const) {
    const query = tf.ones([rows, size]);
    const key = tf.ones([columns, size]);
    const results = [query, key, key].map(({ shape }) => tf.fill(shape, NaN));
    const [queryAt, keyAt] = address(engine, query, key);
    const [dQuery, dKey, dValue] = address(engine, ...(results as [tf.Tensor, tf.Tensor, tf.Tensor]));
    for (const back of [false, true]) {
      const bytes = kernels.attentionBytes(columns, size, back);
      withRoom(engine, bytes + 32, (room) => {
        const end = new Float32Array(engine.wasm.HEAPU8.buffer, room + bytes, 8).fill(42);
        const sizes = [rows, rows, columns, size, room] as const;
        if (back) kernels.attendBack(queryAt, queryAt, keyAt, keyAt, 0, dQuery, dKey, dValue, ...sizes);
        else kernels.attend(queryAt, keyAt, keyAt, 0, dQuery, ...sizes);
        expect([...end]).toEqual(new Array<number>(8).fill(42));
      });
      expect(results[0]!.dataSync().every(Number.isFinite)).toBe(true);
    }
    tf.dispose([query, key, results]);
  }
});

it('keep no packed copy of what they multiply by', () => {
  const engine = asWasmEngine(tf.backend());
  const weights = Array.from({ length: 16 }, () => tf.ones<tf.Rank.R2>([1024, 1024]));
  const x = tf.ones<tf.Rank.R2>([16, 1024]);
  tf.matMul(x, weights[0]!).dispose();
  const before = engine.wasm.HEAPU8.length;
  for (const weight of weights) tf.matMul(x, weight).dispose();
  expect(engine.wasm.HEAPU8.length).toBe(before);
  tf.dispose([x, weights]);
});

it('compute the same to the bit with joined vectors, so that training does not depend on the engine', () => {
  const { simd, wide } = heapKernelsBase64;
  const { Memory } = (
    globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number }) => WasmMemory } }
  ).WebAssembly;
  const results = (variants: ModuleVariants) => {
    const memory = new Memory({ initial: 32 });
    const kernels = instantiate(variants, memory) as HeapKernels;
    const floats = new Float32Array(memory.buffer);
    const megabyte = 2 ** 20;
    for (let i = 0; i < megabyte / 8; i++) floats[1024 + i] = Math.sin(i) * Math.cos(3 * i);
    const place = (index: number) => 4096 + 40_000 * index;
    const [rows, inner, columns] = [27, 61, 53];
    const flags = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));
    const products = flags.flatMap(([transposeA, transposeB]) => {
      kernels.multiply(place(0), transposeA, place(1), transposeB, place(8), rows, inner, columns, megabyte);
      return [...floats.subarray(place(8) / 4, place(8) / 4 + rows * columns)];
    });
    const [tokens, size] = [19, 40];
    const vectors = [0, 1, 2, 3, 4].map(place) as [number, number, number, number, number];
    const outputs = [9, 10, 11].map(place) as [number, number, number];
    const [dOutput, query, key, value] = vectors;
    kernels.attend(query, key, value, 0, place(12), 2 * tokens, tokens, tokens, size, megabyte);
    kernels.attendBack(dOutput, query, key, value, 0, ...outputs, 2 * tokens, tokens, tokens, size, megabyte);
    const attention = [...outputs, place(12)].flatMap((at) => [...floats.subarray(at / 4, at / 4 + tokens * size)]);
    return [...products, ...attention];
  };
  const plain = results({ simd });
  expect(plain.filter((number) => number === 0 || Number.isNaN(number))).toEqual([]);
  expect(results({ simd: wide })).toEqual(plain);
  expect(results({ simd, wide })).toEqual(plain);
});
