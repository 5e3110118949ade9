// Converted folders load again and hold the same weights; what cannot be converted leaves nothing behind.
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { ggufBytes, text, textValue, u32, u32sValue, u32Value, u64 } from '../formats/gguf/gguf-bytes.test-helper.js';
import { openGguf, openSafetensors, writeSafetensors, type TensorSource } from '../formats/index.js';
import * as p from '../formats/torch-pickle/pickle-bytes.test-helper.js';
import { bytesOf, checkpointBytes } from '../formats/torch-pickle/zip-bytes.test-helper.js';
import { inspectModel } from '../inspection/index.js';
import { loadReasoner } from '../reasoner/index.js';
import { convertModel } from './convert-model.js';

const tinyLlama = join(import.meta.dirname, '../formats/gguf/__fixtures__/tiny-llama.gguf');

let root: string;
let out: string;
let count = 0;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  root = await mkdtemp(join(tmpdir(), 'memgen-convert-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  out = join(root, `out-${count++}`);
});

/** All tensors as numbers; arrays large enough that comparing them with toEqual would take seconds. */
async function weightsOf(source: TensorSource): Promise<Map<string, Float32Array>> {
  const weights = new Map<string, Float32Array>();
  for (const name of [...source.tensors.keys()].sort()) weights.set(name, await source.readFloat32(name));
  await source.close();
  return weights;
}

function expectSameBits(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): void {
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [name, values] of a) expect(Buffer.compare(bytesOf(values), bytesOf(b.get(name)!)), name).toBe(0);
}

const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(out, name), 'utf8'));

/** Nothing under the name, and nothing aside. */
async function expectNothing(): Promise<void> {
  const name = out.slice(root.length + 1);
  expect((await readdir(root)).filter((other) => other.includes(name))).toEqual([]);
}

describe('convertModel of a folder', () => {
  it('keeps every weight in float32, and the other files', async () => {
    const written: number[] = [];
    const result = await convertModel(modelFolder(), out, { onWritten: (bytes) => written.push(bytes) });
    expect(result).toEqual({ folder: out, tensors: 50, byteLength: 4 * 952_960 });
    expect(written.at(-1)).toBe(result.byteLength);
    expectSameBits(await weightsOf(await openSafetensors(out)), await weightsOf(await openSafetensors(modelFolder())));
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'README.md']) {
      expect(await readFile(join(out, name), 'utf8'), name).toBe(await readFile(join(modelFolder(), name), 'utf8'));
    }
    const config = JSON.parse(await readFile(join(modelFolder(), 'config.json'), 'utf8')) as object;
    expect(await json('config.json')).toEqual({ ...config, torch_dtype: 'float32' });
  });

  it('to bfloat16 and float32 and back gives the same file', async () => {
    await convertModel(modelFolder(), `${out}-wide`, { dtype: 'F32' });
    await convertModel(`${out}-wide`, out, { dtype: 'BF16' });
    const name = 'model.safetensors';
    expect(Buffer.compare(await readFile(join(out, name)), await readFile(join(modelFolder(), name)))).toBe(0);
    expect(await json('config.json')).toMatchObject({ torch_dtype: 'bfloat16' });
  });

  it('gives a model that answers as the original does', async () => {
    await convertModel(modelFolder(), out);
    const logits: Float32Array[] = [];
    for (const folder of [modelFolder(), out]) {
      const { decoder, tokenizer } = await loadReasoner(folder);
      const ids = tokenizer.encode('Prices: 5 bowl, 11 clock. How much is a bowl?');
      const cache = decoder.createCache(1);
      const mask = [ids.map(() => 1)];
      logits.push(
        tf.tidy(() =>
          Float32Array.from(decoder.logits(decoder.forward(decoder.embed(ids), mask, { cache })).dataSync()),
        ),
      );
      cache.dispose();
      decoder.dispose();
    }
    expect(logits[0]!.some((value) => value !== 0)).toBe(true);
    expect(Buffer.compare(bytesOf(logits[1]!), bytesOf(logits[0]!))).toBe(0);
  });

  /** A folder with a config.json and the given tensors. */
  async function folderWith(data: Float32Array, config: object = { dtype: 'float32' }): Promise<string> {
    const folder = `${out}.source`;
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    await writeSafetensors(join(folder, 'model.safetensors'), [{ name: 'x', shape: [data.length], data }]);
    return folder;
  }

  it('writes the newer key for the type where the configuration has it', async () => {
    await convertModel(await folderWith(Float32Array.of(1)), out, { dtype: 'F16' });
    expect(await json('config.json')).toEqual({ dtype: 'float16' });
  });

  it('refuses values that float16 cannot hold and leaves nothing behind', async () => {
    const folder = await folderWith(Float32Array.of(1, 70_000));
    await expect(convertModel(folder, out, { dtype: 'F16' })).rejects.toMatchObject({
      code: 'tensor-overflow',
      got: '70000',
    });
    await rename(folder, join(root, `kept-${count}`));
    await expectNothing();
  });

  it('refuses weights that are quantised in another way', async () => {
    const folder = await folderWith(Float32Array.of(1), { quantization_config: { quant_method: 'gptq' } });
    await expect(convertModel(folder, out)).rejects.toMatchObject({ code: 'convert-quantized' });
  });

  it('reads the weights of a PyTorch checkpoint', async () => {
    const folder = `${out}.torch`;
    await mkdir(folder);
    await copyFile(join(modelFolder(), 'config.json'), join(folder, 'config.json'));
    const value = p.stateDict({
      'model.norm.weight': p.tensor({ elements: 3, shape: [3] }),
      position_ids: p.tensor({ type: 'LongStorage', key: '1', elements: 2, shape: [1, 2] }),
    });
    const storages = [bytesOf(Float32Array.of(1, -2, 3.5)), bytesOf(BigInt64Array.of(0n, 1n))];
    await writeFile(join(folder, 'pytorch_model.bin'), checkpointBytes({ value, storages }));
    await convertModel(folder, out, { dtype: 'BF16' });
    const file = await openSafetensors(out);
    expect(await file.readNumbers('position_ids')).toEqual([0, 1]);
    expect(file.tensors.get('position_ids')).toMatchObject({ dtype: 'I64', shape: [1, 2] });
    expect(file.tensors.get('model.norm.weight')?.dtype).toBe('BF16');
    expect(await file.readFloat32('model.norm.weight')).toEqual(Float32Array.of(1, -2, 3.5));
    await file.close();
    expect((await readdir(out)).sort()).toEqual(['config.json', 'model.safetensors']);
  });
});

describe('a folder of PyTorch shards', () => {
  /** The embedded model as `pytorch_model-...bin`. */
  async function shards(): Promise<string> {
    const folder = `${out}.torch`;
    await cp(modelFolder(), folder, { recursive: true });
    await rm(join(folder, 'model.safetensors'));
    const weights = [...(await weightsOf(await openSafetensors(modelFolder())))];
    const source = await openSafetensors(modelFolder());
    const map: Record<string, string> = {};
    for (const [i, part] of [weights.slice(0, 20), weights.slice(20)].entries()) {
      const file = `pytorch_model-0000${i + 1}-of-00002.bin`;
      const entries = part.map(([name, data], key) => {
        map[name] = file;
        const { shape } = source.tensors.get(name)!;
        return [name, p.tensor({ key: `${key}`, elements: data.length, shape })] as const;
      });
      const storages = part.map(([, data]) => bytesOf(data));
      await writeFile(
        join(folder, file),
        checkpointBytes({ value: p.stateDict(Object.fromEntries(entries)), storages }),
      );
    }
    await source.close();
    await writeFile(join(folder, 'pytorch_model.bin.index.json'), JSON.stringify({ weight_map: map }));
    return folder;
  }

  it('loads, is described and converts like the safetensors file', async () => {
    const folder = await shards();
    const [torch, original] = [await loadReasoner(folder), await loadReasoner(modelFolder())];
    expect(torch.origin.format).toBe('torch-pickle');
    expect(torch.parameterCount).toBe(original.parameterCount);
    torch.decoder.dispose();
    original.decoder.dispose();
    expect(await inspectModel(folder)).toMatchObject({ format: 'torch-pickle', problems: [], unusedTensors: [] });
    await convertModel(folder, out, { dtype: 'BF16' });
    const name = 'model.safetensors';
    expect(Buffer.compare(await readFile(join(out, name)), await readFile(join(modelFolder(), name)))).toBe(0);
    expect((await readdir(out)).filter((file) => file.includes('pytorch'))).toEqual([]);
  });
});

describe('convertModel of a GGUF file', () => {
  it('gives a folder that holds the same weights and loads', async () => {
    await convertModel(tinyLlama, out);
    expect((await readdir(out)).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expectSameBits(await weightsOf(await openSafetensors(out)), await weightsOf(await openGguf(tinyLlama)));
    expect(await json('generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 });
    const [original, converted] = [await loadReasoner(tinyLlama), await loadReasoner(out)];
    expect(converted.decoder.config).toEqual(original.decoder.config);
    expect(converted.tokenizer.encode('ab 12<|im_end|>')).toEqual(original.tokenizer.encode('ab 12<|im_end|>'));
    expect(converted.tokenizer.chatTemplate).toBe(original.tokenizer.chatTemplate);
    original.decoder.dispose();
    converted.decoder.dispose();
  });

  const texts = (values: readonly string[]) => ({
    type: 9,
    bytes: Buffer.concat([u32(8), u64(values.length), ...values.map(text)]),
  });

  it('rounds to the nearest bfloat16, ties to even', async () => {
    const places = [
      ['halfway, the lower is even', 1 + 2 ** -8, 1],
      ['halfway, the upper is even', 1 + 3 * 2 ** -8, 1 + 2 ** -6],
      ['just above half', 1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
      ['just below half', -1 - 2 ** -8 + 2 ** -20, -1],
      ['exact', 0.15625, 0.15625],
      ['smallest subnormal', 2 ** -149, 0],
    ] as const;
    const values = Float32Array.from(places, ([, value]) => value);
    const pairs = [
      ['general.architecture', textValue('qwen2')],
      ['qwen2.block_count', u32Value(1)],
      ['qwen2.context_length', u32Value(64)],
      ['qwen2.embedding_length', u32Value(6)],
      ['qwen2.feed_forward_length', u32Value(4)],
      ['qwen2.attention.head_count', u32Value(1)],
      ['tokenizer.ggml.model', textValue('gpt2')],
      ['tokenizer.ggml.pre', textValue('qwen2')],
      ['tokenizer.ggml.tokens', texts(['a'])],
      ['tokenizer.ggml.token_type', u32sValue([1])],
      ['tokenizer.ggml.merges', texts([])],
    ] as const;
    const tensors = [{ name: 'token_embd.weight', dimensions: [6, 1], type: 0, offset: 0 }];
    const path = join(root, 'crafted.gguf');
    await writeFile(path, ggufBytes({ pairs, tensors, data: bytesOf(values) }));
    await convertModel(path, out, { dtype: 'BF16' });
    const file = await openSafetensors(out);
    expect([...(await file.readFloat32('model.embed_tokens.weight'))]).toEqual(places.map(([, , rounded]) => rounded));
    await file.close();
    // A file that names no special tokens says nothing about how to generate.
    expect((await readdir(out)).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });
});

describe('convertModel', () => {
  it('overwrites nothing', async () => {
    await mkdir(out);
    await writeFile(join(out, 'mine.txt'), 'mine');
    await expect(convertModel(modelFolder(), out)).rejects.toMatchObject({ code: 'file-exists', got: 'mine.txt' });
    expect(await readdir(out)).toEqual(['mine.txt']);
    await expect(convertModel(modelFolder(), join(out, 'mine.txt'))).rejects.toMatchObject({ name: 'MemGenError' });
    expect(await readFile(join(out, 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('does not take a folder that an interrupted write moved away for nothing', async () => {
    await cp(modelFolder(), join(root, `.${out.slice(root.length + 1)}.previous`), { recursive: true });
    await expect(convertModel(tinyLlama, out)).rejects.toMatchObject({ code: 'file-exists' });
    const name = 'model.safetensors';
    expect(Buffer.compare(await readFile(join(out, name)), await readFile(join(modelFolder(), name)))).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('says why a folder cannot be written (Linux)', async () => {
    // Refused to everybody, root too.
    await expect(convertModel(tinyLlama, '/proc/memgen')).rejects.toMatchObject({
      name: 'MemGenError',
      message: expect.stringMatching(/could not write the folder/),
    });
  });

  it('fills an empty folder', async () => {
    await mkdir(out);
    await convertModel(tinyLlama, out);
    expect(await readdir(out)).toContain('model.safetensors');
  });

  it('stops when asked to and leaves nothing behind', async () => {
    const stop = new AbortController();
    const converting = convertModel(modelFolder(), out, {
      signal: stop.signal,
      onWritten: () => {
        stop.abort();
      },
    });
    await expect(converting).rejects.toMatchObject({ code: 'interrupted', where: out });
    await expectNothing();
  });

  it('says what is missing of the source', async () => {
    await expect(convertModel(join(root, 'nowhere'), out)).rejects.toMatchObject({ code: 'model-not-found' });
    await mkdir(`${out}.source`);
    await copyFile(join(modelFolder(), 'config.json'), join(`${out}.source`, 'config.json'));
    await expect(convertModel(`${out}.source`, out)).rejects.toMatchObject({ code: 'weights-not-found' });
  });
});
