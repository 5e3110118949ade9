// Folders with safetensors or PyTorch weights, whole and in shards, hold the same to whoever reads them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openWeights, writeSafetensors } from './index.js';
import * as p from './torch-pickle/pickle-bytes.test-helper.js';
import { bytesOf, checkpointBytes } from './torch-pickle/zip-bytes.test-helper.js';

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-weights-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'model-'));
});

const values = { a: Float32Array.of(1, 2, 3), b: Float32Array.of(-1) };

async function write(name: string, names: readonly (keyof typeof values)[]): Promise<void> {
  const path = join(folder, name);
  if (name.endsWith('.safetensors')) {
    await writeSafetensors(
      path,
      names.map((tensor) => ({ name: tensor, shape: [values[tensor].length], data: values[tensor] })),
    );
    return;
  }
  const parts = names.map((tensor, i) => {
    const elements = values[tensor].length;
    return [tensor, p.tensor({ key: `${i}`, elements, shape: [elements] })] as const;
  });
  const storages = names.map((tensor) => bytesOf(values[tensor]));
  await writeFile(path, checkpointBytes({ value: p.stateDict(Object.fromEntries(parts)), storages }));
}

const writeIndex = (name: string, map: unknown) =>
  writeFile(join(folder, `${name}.index.json`), JSON.stringify({ metadata: { total_size: 16 }, weight_map: map }));

describe.each([
  ['safetensors', 'model.safetensors', 'model-1.safetensors', 'model-2.safetensors'],
  ['torch-pickle', 'pytorch_model.bin', 'pytorch_model-1.bin', 'pytorch_model-2.bin'],
] as const)('weights of format %s', (format, whole, first, second) => {
  async function expectAll(): Promise<void> {
    const opened = await openWeights(folder);
    expect(opened.format).toBe(format);
    expect([...opened.weights.tensors.keys()].sort()).toEqual(['a', 'b']);
    expect(await opened.weights.readFloat32('a')).toEqual(values.a);
    expect(await opened.weights.readNumbers('b')).toEqual([-1]);
    expect(Buffer.from(await opened.weights.readRaw('a'))).toEqual(Buffer.from(bytesOf(values.a)));
    await expect(opened.weights.readFloat32('c')).rejects.toMatchObject({ code: 'tensor-missing' });
    await opened.weights.close();
  }

  it('are read from one file', async () => {
    await write(whole, ['a', 'b']);
    await expectAll();
  });

  it('are read from shards', async () => {
    await write(first, ['a']);
    await write(second, ['b']);
    await writeIndex(whole, { a: first, b: second });
    await expectAll();
  });

  it('are refused where the index lies', async () => {
    await write(first, ['a']);
    await write(second, ['b']);
    await writeIndex(whole, { a: second, b: second });
    await expect(openWeights(folder)).rejects.toMatchObject({ code: `${format}-index` });
    await writeIndex(whole, { a: first, b: `../${second}` });
    await expect(openWeights(folder)).rejects.toMatchObject({ code: `${format}-index` });
    await writeIndex(whole, { a: first, b: 'else.h5' });
    await expect(openWeights(folder)).rejects.toMatchObject({ code: `${format}-index` });
    await writeIndex(whole, Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`t${i}`, `${i}${first}`])));
    await expect(openWeights(folder)).rejects.toThrow(/too many files[\s\S]*2000/);
    await rm(join(folder, second));
    await writeIndex(whole, { a: first, b: second });
    await expect(openWeights(folder)).rejects.toMatchObject({
      code: `${format}-missing-shard`,
      message: expect.stringContaining(`no ${second}`),
    });
  });
});

it('prefers safetensors', async () => {
  await write('pytorch_model.bin', ['a']);
  await write('model.safetensors', ['a', 'b']);
  const { weights, format } = await openWeights(folder);
  expect([format, weights.tensors.size]).toEqual(['safetensors', 2]);
  await weights.close();
});

it('names all that was looked for where there is nothing', async () => {
  await writeFile(join(folder, 'tf_model.h5'), '');
  await expect(openWeights(folder)).rejects.toMatchObject({
    code: 'weights-not-found',
    message: expect.stringMatching(
      /got: +tf_model\.h5\n +expected: model\.safetensors, model\.safetensors\.index\.json, pytorch_model\.bin, pytorch_model\.bin\.index\.json/,
    ),
  });
  await write('one.safetensors', ['a']);
  await write('two.safetensors', ['b']);
  await expect(openWeights(folder)).rejects.toThrow(/one\.safetensors[\s\S]*rename/);
  await expect(openWeights(join(folder, 'none'))).rejects.toMatchObject({ code: 'file-not-found' });
});
