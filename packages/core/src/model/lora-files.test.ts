// Adapters on disk: round trips in all settings, and adapters of other base models.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { loadAdapter, saveAdapter } from './lora-files.js';
import { LoraAdapter, type LoraConfig } from './lora.js';
import { tinyConfig } from './tiny-decoder.test-helper.js';

const config = tinyConfig();
let folder: string;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-adapter-'));
});
afterAll(() => rm(folder, { recursive: true }));

const plain: LoraConfig = { r: 2, alpha: 4, dropout: 0.1, targetModules: ['q_proj', 'mlp.down_proj'] };

function adapterOf(lora: LoraConfig): LoraAdapter {
  const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(2));
  for (const { b } of adapter.modules.values())
    tf.tidy(() => {
      b.assign(tf.randomNormal(b.shape, 0, 1, 'float32', 3));
    });
  return adapter;
}

describe('an adapter', () => {
  it.each<[string, LoraConfig]>([
    ['plain', plain],
    ['rank-stabilised', { ...plain, rslora: true }],
    ['with patterns', { ...plain, targetModules: '.*_proj', rankPattern: { q_proj: 3 }, alphaPattern: { v_proj: 9 } }],
    ['of some layers', { ...plain, layersToTransform: [0, 1], excludeModules: ['layers.1.mlp.down_proj'] }],
  ])('comes back from its folder bit by bit: %s', async (_, lora) => {
    const adapter = adapterOf(lora);
    await saveAdapter(folder, adapter, { id: 'some/model', revision: 'abc' });
    const before = tf.memory().numTensors;
    const loaded = await loadAdapter(folder, config);
    expect(loaded.config).toEqual(lora);
    expect([...loaded.modules.keys()]).toEqual([...adapter.modules.keys()]);
    for (const [key, { a, b, scaling }] of loaded.modules) {
      const known = adapter.modules.get(key)!;
      expect([a.arraySync(), b.arraySync(), scaling]).toEqual([
        known.a.arraySync(),
        known.b.arraySync(),
        known.scaling,
      ]);
    }
    const json = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    expect(json).toMatchObject({ base_model_name_or_path: 'some/model', revision: 'abc', task_type: 'CAUSAL_LM' });
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
    adapter.dispose();
  });

  it.each([
    ['wider', { hidden_size: 32 }, 'adapter-shape'],
    ['deeper', { num_hidden_layers: 3 }, 'adapter-modules'],
    ['shallower', { num_hidden_layers: 1 }, 'adapter-modules'],
  ])('is refused by a model that is %s', async (_, changes, code) => {
    const adapter = adapterOf(plain);
    await saveAdapter(folder, adapter);
    adapter.dispose();
    const before = tf.memory().numTensors;
    await expect(loadAdapter(folder, tinyConfig(changes))).rejects.toMatchObject({ code });
    expect(tf.memory().numTensors).toBe(before);
  });
});
