// Parameters as named arrays and back, also for what has only their names (gradients, moments).
import { startBackend, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { tinyWeaver } from './tiny-weaver.test-helper.js';
import { namedParameters, type WeaverParameters } from './weaver-parameters.js';
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
    const tensors = await readWeaverTensors(namedParameters(weaver.weights));
    const weights = weaverFromTensors(base, tensors);
    const values = (of: WeaverParameters) => [...namedParameters(of)].map(([name, v]) => [name, v.arraySync()]);
    expect(values(weights)).toEqual(values(weaver.weights));
    tf.dispose([...namedParameters(weights).values()]);
    weaver.dispose();
  });

  it('refuses what is missing, unexpected or of another shape, leaving nothing behind', async () => {
    const weaver = tinyWeaver(base);
    const tensors = await readWeaverTensors(namedParameters(weaver.weights));
    weaver.dispose();
    const before = tf.memory().numTensors;
    const renamed = new Map(
      [...tensors].map(([name, value]) => [name.replace('prompt_latent_ln.bias', 'bias'), value]),
    );
    expect(() => weaverFromTensors(base, renamed)).toThrow(/missing: prompt_latent_ln\.bias; unexpected: bias/);
    const name = 'reasoner_to_weaver.bias';
    tensors.set(name, { shape: [3], data: new Float32Array(3) });
    expect(() => weaverFromTensors(base, tensors, 'here')).toThrow(
      expect.objectContaining({ code: 'weaver-tensors', where: `here: ${name}`, got: '[3]', expected: '[16]' }),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
