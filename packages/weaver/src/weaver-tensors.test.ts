// Parameters as named arrays and back, also for what has only their names (gradients, moments).
import { startBackend, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { tinyWeaver } from './tiny-weaver.test-helper.js';
import { readWeaverTensors, weaverFromTensors } from './weaver-tensors.js';

let base: Decoder;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
});
afterAll(() => {
  base.dispose();
});

describe('readWeaverTensors', () => {
  it('turns projections and adapters to [out, in] and leaves queries as they are', async () => {
    const before = tf.memory().numTensors;
    const tensors = new Map([
      ['reasoner_to_weaver.weight', tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3])],
      ['layers.0.self_attn.q_proj.lora_A', tf.tensor2d([1, 2], [2, 1])],
      ['prompt_query_latents', tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3])],
    ]);
    const read = await readWeaverTensors(tensors);
    expect(read.get('reasoner_to_weaver.weight')).toEqual({ shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) });
    expect(read.get('layers.0.self_attn.q_proj.lora_A')).toEqual({ shape: [1, 2], data: Float32Array.of(1, 2) });
    expect(read.get('prompt_query_latents')).toEqual({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    tf.dispose([...tensors.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('weaverFromTensors', () => {
  it('builds again what was read', async () => {
    const weaver = tinyWeaver(base);
    const tensors = await readWeaverTensors(weaver.parameters());
    const { adapter, weights } = weaverFromTensors(base, weaver.adapter.config, tensors);
    expect(adapter.modules.get('layers.1.mlp.down_proj')!.b.arraySync()).toEqual(
      weaver.adapter.modules.get('layers.1.mlp.down_proj')!.b.arraySync(),
    );
    expect(weights.weaverToReasoner.weight.arraySync()).toEqual(weaver.weights.weaverToReasoner.weight.arraySync());
    adapter.dispose();
    tf.dispose(Object.values(weights).flatMap((part: object) => Object.values(part) as tf.Variable[]));
    weaver.dispose();
  });

  it('refuses adapters that the targets do not name, and factors of different ranks', async () => {
    const weaver = tinyWeaver(base);
    const { config } = weaver.adapter;
    const tensors = await readWeaverTensors(weaver.parameters());
    weaver.dispose();
    const before = tf.memory().numTensors;
    expect(() => weaverFromTensors(base, { ...config, targetModules: ['q_proj', 'down_proj'] }, tensors)).toThrow(
      /unexpected: layers\.0\.self_attn\.v_proj\.lora_A, layers\.1\.self_attn\.v_proj\.lora_A/,
    );
    const name = 'layers.0.self_attn.q_proj.lora_B';
    tensors.set(name, { shape: [16, 3], data: new Float32Array(48) });
    expect(() => weaverFromTensors(base, config, tensors, 'here')).toThrow(
      expect.objectContaining({ code: 'weaver-tensors', where: `here: ${name}`, got: '[16, 3]', expected: '[16, 2]' }),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
