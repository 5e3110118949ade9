// Weavers on disk: bit-equal round trips, and folders that are incomplete or of another base model.
import { openSafetensors, startBackend, writeSafetensors, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { LatentWeaver } from './latent-weaver.js';
import { tinyWeaver } from './tiny-weaver.test-helper.js';

let base: Decoder;
let root: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
  root = await mkdtemp(join(tmpdir(), 'memgen-weaver-'));
});
afterAll(async () => {
  base.dispose();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
});

async function saved(): Promise<Map<string, Float32Array>> {
  const weaver = tinyWeaver(base, { reasonerHidden: 20, dropout: 0.1 });
  await weaver.save(folder);
  const values = new Map([...weaver.parameters()].map(([name, v]) => [name, v.dataSync().slice() as Float32Array]));
  weaver.dispose();
  return values;
}

type Tensors = Map<string, { shape: readonly number[]; data: Float32Array }>;

async function changeTensors(file: string, change: (tensors: Tensors) => void): Promise<void> {
  const path = join(folder, file);
  const opened = await openSafetensors(path);
  const tensors: Tensors = new Map();
  for (const { name, shape } of opened.tensors.values()) {
    tensors.set(name, { shape, data: await opened.readFloat32(name) });
  }
  await opened.close();
  change(tensors);
  await writeSafetensors(path, [...tensors].map(([name, tensor]) => ({ name, ...tensor }))); // prettier-ignore
}

async function expectRefusal(failure: Record<string, unknown>, by = base): Promise<void> {
  const before = tf.memory().numTensors;
  await expect(LatentWeaver.load(folder, by)).rejects.toMatchObject(failure);
  expect(tf.memory().numTensors).toBe(before);
}

describe('a saved weaver', () => {
  it('comes back bit by bit, with its adapter settings', async () => {
    const values = await saved();
    const before = tf.memory().numTensors;
    const loaded = await LatentWeaver.load(folder, base);
    expect([...loaded.parameters().keys()].sort()).toEqual([...values.keys()].sort());
    for (const [name, variable] of loaded.parameters()) expect(variable.dataSync(), name).toEqual(values.get(name));
    expect(loaded.adapter.config).toEqual({
      r: 2,
      alpha: 4,
      dropout: 0.1,
      targetModules: ['q_proj', 'v_proj', 'down_proj'],
    });
    expect([...loaded.adapter.modules.values()].every(({ scaling }) => scaling === 2)).toBe(true);
    expect(loaded.latentCounts).toEqual({ prompt: 3, inference: 2 });
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is written the same way again', async () => {
    await saved();
    const names = await readdir(folder);
    expect(names.sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'weaver.safetensors']);
    const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const again = join(folder, 'again');
    await mkdir(again);
    const loaded = await LatentWeaver.load(folder, base);
    await loaded.save(again);
    loaded.dispose();
    expect(await Promise.all(names.map((name) => readFile(join(again, name))))).toEqual(contents);
  });

  it('lies in files as PyTorch has it: projections [out, in], adapters under the names of PEFT', async () => {
    await saved();
    const own = await openSafetensors(join(folder, 'weaver.safetensors'));
    expect(own.tensors.get('reasoner_to_weaver.weight')!.shape).toEqual([16, 20]);
    expect(own.tensors.get('weaver_to_reasoner.weight')!.shape).toEqual([20, 16]);
    expect(own.tensors.get('prompt_query_latents')!.shape).toEqual([3, 16]);
    await own.close();
    const adapter = await openSafetensors(join(folder, 'adapter_model.safetensors'));
    const prefix = 'base_model.model.model.layers.1.mlp.down_proj';
    expect(adapter.tensors.get(`${prefix}.lora_A.weight`)!.shape).toEqual([2, 24]);
    expect(adapter.tensors.get(`${prefix}.lora_B.weight`)!.shape).toEqual([16, 2]);
    await adapter.close();
  });
});

describe('LatentWeaver.load refuses', () => {
  it('a missing or an unexpected tensor, naming it', async () => {
    await saved();
    await changeTensors('weaver.safetensors', (tensors) => {
      tensors.delete('inference_latent_scale');
      tensors.set('trigger.weight', { shape: [1], data: new Float32Array(1) });
    });
    await expectRefusal({
      code: 'weaver-tensors',
      got: 'missing: inference_latent_scale; unexpected: trigger.weight',
    });
  });

  it.each([
    ['prompt_latent_ln.weight', [1]],
    ['inference_latent_scale', [16]],
    ['prompt_query_latents', [3, 12]],
    ['reasoner_to_weaver.bias', [20]],
    ['weaver_to_reasoner.weight', [16, 20]],
  ])('%s of the shape %j', async (name, shape) => {
    await saved();
    await changeTensors('weaver.safetensors', (tensors) => {
      const size = shape.reduce((product, n) => product * n, 1);
      tensors.set(name, { shape, data: new Float32Array(size) });
    });
    await expectRefusal({
      code: 'weaver-tensors',
      where: `${join(folder, 'weaver.safetensors')}: ${name}`,
      got: `[${shape.join(', ')}]`,
    });
  });

  it('an adapter that lacks a layer or a factor', async () => {
    await saved();
    const [a, b] = ['A', 'B'].map((factor) => `base_model.model.model.layers.1.self_attn.v_proj.lora_${factor}.weight`);
    await changeTensors('adapter_model.safetensors', (tensors) => tensors.delete(b!));
    await expectRefusal({ code: 'peft-keys' });
    await changeTensors('adapter_model.safetensors', (tensors) => tensors.delete(a!));
    await expectRefusal({
      code: 'adapter-modules',
      got: 'missing: model.layers.1.self_attn.v_proj; unexpected: none',
    });
  });

  it('another base model: wider, deeper, shallower, with other heads', async () => {
    await saved();
    for (const [changes, code] of [
      [{ hidden_size: 32 }, 'adapter-shape'],
      [{ num_hidden_layers: 3 }, 'adapter-modules'],
      [{ num_hidden_layers: 1 }, 'adapter-modules'],
      [{ num_key_value_heads: 4 }, 'adapter-shape'],
    ] as const) {
      const other = await frozenDecoder(tinyConfig(changes));
      await expectRefusal({ code }, other);
      other.dispose();
    }
  });

  it('files that are not there', async () => {
    await saved();
    await rm(join(folder, 'weaver.safetensors'));
    await expectRefusal({ code: 'file-not-found' });
  });
});
