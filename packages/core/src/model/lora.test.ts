// Low-rank adapters: which modules they reach, how they start, what they compute.
import { MemGenError, Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { Decoder } from './decoder.js';
import { exportDecoderWeights, loadDecoderWeights } from './decoder-weights.js';
import { adaptableModules, LoraAdapter, loraKey } from './lora.js';
import { busyAdapter } from './lora.test-helper.js';
import { frozenDecoder, memorySource, randomIds, tinyConfig } from './tiny-decoder.test-helper.js';

const config = tinyConfig({ head_dim: 6 });
const all = adaptableModules.map((name) => name.split('.')[1]!);

beforeAll(() => startBackend({ backend: 'wasm' }));

function adapterOf(targetModules: readonly string[], dropout = 0): LoraAdapter {
  return busyAdapter(config, { r: 3, alpha: 6, targetModules, dropout });
}

function forward(decoder: Decoder, adapter?: LoraAdapter, dropoutSeed?: number): Float32Array {
  const ids = randomIds(6, 3);
  return tf.tidy(() => {
    const options = { cache: decoder.createCache(1, 'parts'), adapter: adapter && { adapter, dropoutSeed } };
    return decoder.forward(decoder.embed(ids), [ids.map(() => 1)], options).dataSync() as Float32Array;
  });
}

describe('LoraAdapter.initialize', () => {
  it('gives every layer its targets, A in +-1/sqrt(in), B zero, scaling alpha / r', () => {
    const before = tf.memory().numTensors;
    const lora = { r: 2, alpha: 5, targetModules: ['q_proj', 'v_proj', 'mlp.down_proj'] };
    const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(1));
    expect([...adapter.modules.keys()].sort()).toEqual(
      [0, 1].flatMap((layer) => [
        `layers.${layer}.mlp.down_proj`,
        `layers.${layer}.self_attn.q_proj`,
        `layers.${layer}.self_attn.v_proj`,
      ]),
    );
    const query = adapter.modules.get(loraKey(1, 'self_attn.q_proj'))!;
    const value = adapter.modules.get(loraKey(1, 'self_attn.v_proj'))!;
    const down = adapter.modules.get(loraKey(0, 'mlp.down_proj'))!;
    expect([query.a.shape, query.b.shape]).toEqual([[16, 2], [2, 24]]); // prettier-ignore
    expect([value.a.shape, value.b.shape]).toEqual([[16, 2], [2, 12]]); // prettier-ignore
    expect([down.a.shape, down.b.shape]).toEqual([[24, 2], [2, 16]]); // prettier-ignore
    expect(query.scaling).toBe(2.5);
    const values = [...query.a.dataSync()];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.25);
    expect(Math.max(...values)).toBeGreaterThan(0.15);
    expect(Math.min(...values)).toBeLessThan(-0.15);
    expect(query.b.dataSync().every((value) => value === 0)).toBe(true);
    adapter.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('depends on the seed and the module alone, not on what else is adapted', () => {
    const some = LoraAdapter.initialize(config, { r: 2, alpha: 2, targetModules: ['v_proj'] }, Random.fromSeed(3));
    const more = LoraAdapter.initialize(config, { r: 2, alpha: 2, targetModules: all }, Random.fromSeed(3));
    const key = loraKey(1, 'self_attn.v_proj');
    expect(some.modules.get(key)!.a.dataSync()).toEqual(more.modules.get(key)!.a.dataSync());
    expect(some.modules.get(key)!.a.dataSync()).not.toEqual(some.modules.get(loraKey(0, 'self_attn.v_proj'))!.a.dataSync()); // prettier-ignore
    some.dispose();
    more.dispose();
  });

  it.each(['proj', 'lm_head', 'Q_PROJ', ''])('refuses the target "%s", naming those there are', (target) => {
    const lora = { r: 2, alpha: 2, targetModules: ['q_proj', target] };
    expect(() => LoraAdapter.initialize(config, lora, Random.fromSeed(1))).toThrow(MemGenError);
    expect(() => LoraAdapter.targets(config, { ...lora, targetModules: [target] })).toThrow(/q_proj.*down_proj/);
  });

  it('follows patterns, ranks and alphas of their own, and chosen layers', () => {
    const lora = {
      r: 2,
      alpha: 6,
      rslora: true,
      targetModules: '.*\\.(q|v)_proj',
      rankPattern: { 'layers.1.self_attn.q_proj': 4 },
      alphaPattern: { v_proj: 3 },
      layersToTransform: [1],
    };
    const targets = LoraAdapter.targets(config, lora);
    expect([...targets]).toEqual([
      ['layers.1.self_attn.q_proj', { input: 16, output: 24, rank: 4, scaling: 6 / 2 }],
      ['layers.1.self_attn.v_proj', { input: 16, output: 12, rank: 2, scaling: 3 / Math.SQRT2 }],
    ]);
    const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(1));
    expect(adapter.modules.get('layers.1.self_attn.q_proj')!.a.shape).toEqual([16, 4]);
    adapter.dispose();
    expect([...LoraAdapter.targets(config, { r: 1, alpha: 1, targetModules: 'all-linear' }).keys()]).toHaveLength(14);
    expect(() => LoraAdapter.targets(config, { ...lora, layersToTransform: [7] })).toThrow(/no such module/);
    const named = { ...lora, targetModules: ['q_proj', 'v_proj'] };
    const withoutValues = LoraAdapter.targets(config, { ...named, excludeModules: ['v_proj'] });
    expect([...withoutValues.keys()]).toEqual(['layers.1.self_attn.q_proj']);
    const none = { ...named, excludeModules: ['self_attn.q_proj', 'v_proj'] };
    expect(() => LoraAdapter.targets(config, none)).toThrow(/all are excluded/);
  });

  it('names its variables and lists those of a layer', () => {
    const adapter = LoraAdapter.initialize(config, { r: 1, alpha: 1, targetModules: ['q_proj'] }, Random.fromSeed(1));
    expect([...adapter.parameters().keys()]).toEqual([
      'layers.0.self_attn.q_proj.lora_A',
      'layers.0.self_attn.q_proj.lora_B',
      'layers.1.self_attn.q_proj.lora_A',
      'layers.1.self_attn.q_proj.lora_B',
    ]);
    const { a, b } = adapter.modules.get('layers.1.self_attn.q_proj')!;
    expect(adapter.layerParameters(1)).toEqual([a, b]);
    expect(adapter.layerParameters(1)[0]).toBe(a);
    adapter.dispose();
  });
});

describe('a decoder with an adapter', () => {
  it('computes what it computes without while B is zero', async () => {
    const decoder = await frozenDecoder(config);
    const adapter = LoraAdapter.initialize(config, { r: 2, alpha: 4, targetModules: all }, Random.fromSeed(1));
    expect(forward(decoder, adapter)).toEqual(forward(decoder));
    adapter.dispose();
    decoder.dispose();
  });

  it.each([[['q_proj']], [['k_proj', 'o_proj']], [['v_proj', 'up_proj']], [['gate_proj', 'down_proj']], [all]])(
    'computes what weights with %j merged in compute',
    async (targets) => {
      const decoder = await frozenDecoder(config);
      const adapter = adapterOf(targets);
      const tensors = await exportDecoderWeights(decoder.weights, config);
      for (const [key, { a, b, scaling }] of adapter.modules) {
        const { data } = tensors.find(({ name }) => name === `model.${key}.weight`)!;
        const change = tf.tidy(() => tf.mul(tf.transpose(tf.matMul(a, b)), scaling).dataSync());
        change.forEach((value, i) => (data[i]! += value));
      }
      const merged = new Decoder(config, await loadDecoderWeights(memorySource(tensors), config));
      const expected = forward(merged);
      expect(relativeDifference(forward(decoder, adapter), expected)).toBeLessThan(1e-4);
      expect(relativeDifference(forward(decoder), expected)).toBeGreaterThan(1e-2);
      adapter.dispose();
      decoder.dispose();
      merged.dispose();
    },
  );

  it('drops inputs of the adapter only when a seed is given, the same for the same seed', async () => {
    const decoder = await frozenDecoder(config);
    const adapter = adapterOf(all, 0.5);
    const first = forward(decoder, adapter, 1);
    expect(forward(decoder, adapter, 1)).toEqual(first);
    expect(relativeDifference(forward(decoder, adapter, 2), first)).toBeGreaterThan(1e-3);
    const without = adapterOf(all);
    expect(forward(decoder, adapter)).toEqual(forward(decoder, without));
    for (const owner of [adapter, without, decoder]) owner.dispose();
  });
});
