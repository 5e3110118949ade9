// Merged decoders against decoders with the adapter beside them.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { mergeAdapter } from './merge-adapter.js';
import { busyAdapter } from './lora.test-helper.js';
import { architectures, frozenDecoder, randomIds, readAtOnce, tinyConfig, trainableDecoder } from './tiny-decoder.test-helper.js'; // prettier-ignore

beforeAll(() => startBackend({ backend: 'wasm' }));

const ids = [randomIds(7, 1), randomIds(4, 2)];
const lora = { r: 3, alpha: 6, targetModules: 'all-linear' };

describe('mergeAdapter', () => {
  it.each(architectures)('computes without the adapter what %o computes with it', async (changes) => {
    const config = tinyConfig(changes);
    const before = tf.memory().numTensors;
    const decoder = await frozenDecoder(config);
    const adapter = busyAdapter(config, { ...lora, excludeModules: ['k_proj'], rankPattern: { up_proj: 5 } });
    const plain = readAtOnce(decoder, ids).map((row) => row.slice());
    const expected = readAtOnce(decoder, ids, 'right', adapter);
    const merged = await mergeAdapter(decoder, adapter);
    readAtOnce(merged, ids).forEach((row, b) => {
      expect(relativeDifference(row, expected[b]!)).toBeLessThan(1e-4);
      expect(relativeDifference(row, plain[b]!)).toBeGreaterThan(1e-2);
    });
    expect(readAtOnce(decoder, ids)).toEqual(plain);
    // What is merged needs neither.
    const [first] = readAtOnce(merged, ids);
    adapter.dispose();
    decoder.dispose();
    expect(readAtOnce(merged, ids)[0]).toEqual(first);
    merged.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('holds no second copy of what the adapter leaves alone', async () => {
    const config = tinyConfig();
    const decoder = await frozenDecoder(config);
    const adapter = busyAdapter(config, { ...lora, targetModules: ['o_proj'], layersToTransform: [1] });
    const { numDataBuffers } = tf.memory();
    const merged = await mergeAdapter(decoder, adapter);
    // The one matrix that changed, and the rotary constant that every decoder has.
    expect(tf.memory().numDataBuffers - numDataBuffers).toBe(2);
    for (const owner of [adapter, decoder, merged]) owner.dispose();
  });

  it('stays as it is while a base in training goes on', async () => {
    const config = tinyConfig({ tie_word_embeddings: false });
    const decoder = trainableDecoder(config);
    const adapter = busyAdapter(config, lora);
    const merged = await mergeAdapter(decoder, adapter);
    const before = readAtOnce(merged, ids).map((row) => row.slice());
    tf.tidy(() => {
      const { weight } = decoder.weights.layers[0]!.down;
      if (weight instanceof tf.Variable) weight.assign(tf.zerosLike(weight));
    });
    expect(readAtOnce(merged, ids)).toEqual(before);
    for (const owner of [adapter, decoder, merged]) owner.dispose();
  });

  it('refuses an adapter of another model', async () => {
    const decoder = await frozenDecoder(tinyConfig());
    const adapter = busyAdapter(tinyConfig({ hidden_size: 32 }), lora);
    const before = tf.memory().numTensors;
    await expect(mergeAdapter(decoder, adapter)).rejects.toMatchObject({ code: 'adapter-shape' });
    expect(tf.memory().numTensors).toBe(before);
    for (const owner of [adapter, decoder]) owner.dispose();
  });
});
