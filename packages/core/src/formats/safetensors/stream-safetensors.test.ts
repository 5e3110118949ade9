// Streamed files equal written ones; wrong pieces leave nothing behind.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors, writeSafetensors } from './index.js';
import { floatPieces, type WeightDtype } from './narrow-floats.js';
import { streamSafetensors, type StreamedTensor } from './stream-safetensors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-stream-'));
});
afterAll(() => rm(folder, { recursive: true }));

const float = (name: string, values: number[], dtype: WeightDtype, shape = [values.length]) => ({
  name,
  shape,
  dtype,
  data: Float32Array.from(values),
});

const tensors = [
  float('b', [1, 2.5, -3], 'BF16'),
  float('10', [0.1, 0.2], 'F32', [2, 1]),
  float('a', [65504], 'F16'),
  float('c', [], 'BF16', [0, 4]),
];

const streamed = ({ data, ...rest }: (typeof tensors)[number]): StreamedTensor => ({
  ...rest,
  pieces: () => floatPieces(data, rest.dtype, rest.name),
});

it('writes the very bytes of the writer for tensors in memory', async () => {
  const [expected, path] = [join(folder, 'expected.safetensors'), join(folder, 'streamed.safetensors')];
  await writeSafetensors(expected, tensors);
  const steps: [number, number][] = [];
  const total = await streamSafetensors(path, tensors.map(streamed), {
    onWritten: (written, all) => steps.push([written, all]),
  });
  expect(await readFile(path)).toEqual(await readFile(expected));
  expect(total).toBe(16);
  expect(steps).toEqual([
    [8, 16],
    [10, 16],
    [16, 16],
  ]);
});

it('asks for a tensor only when the one before is written', async () => {
  const log: string[] = [];
  const logged = tensors.map((tensor) => ({
    ...streamed(tensor),
    async *pieces() {
      log.push(`open ${tensor.name}`);
      yield* await Promise.resolve(streamed(tensor).pieces() as Iterable<Uint8Array>);
      log.push(`end ${tensor.name}`);
    },
  }));
  await streamSafetensors(join(folder, 'logged.safetensors'), logged);
  expect(log).toEqual(['10', 'a', 'b', 'c'].flatMap((name) => [`open ${name}`, `end ${name}`]));
});

it('keeps whole numbers as they are', async () => {
  const path = join(folder, 'numbers.safetensors');
  const bytes = new Uint8Array(BigInt64Array.of(5n, -7n).buffer);
  await streamSafetensors(path, [{ name: 'ids', dtype: 'I64', shape: [2], pieces: () => [bytes] }]);
  const file = await openSafetensors(path);
  expect(await file.readNumbers('ids')).toEqual([5, -7]);
  await file.close();
});

it.each([
  ['too little', [new Uint8Array(4), new Uint8Array(3)], /got: +7 bytes\n +expected: 8 bytes/],
  ['too much', [new Uint8Array(4), new Uint8Array(5)], /got: +more than 8 bytes\n +expected: 8 bytes/],
])('refuses %s data and leaves nothing behind', async (_, pieces, message) => {
  const aside = join(folder, 'aside');
  const path = join(aside, 'x.safetensors');
  const write = streamSafetensors(path, [{ name: 'x', dtype: 'F32', shape: [2], pieces: () => pieces }]);
  await expect(write).rejects.toMatchObject({ code: 'tensor-shape', message: expect.stringMatching(message) });
  expect(await readdir(aside)).toEqual([]);
});

it('refuses a name given twice', async () => {
  const twice = [tensors[0]!, tensors[0]!].map(streamed);
  await expect(streamSafetensors(join(folder, 'x'), twice)).rejects.toMatchObject({ code: 'tensor-name' });
});
