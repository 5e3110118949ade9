// The estimate against what the engine counts.
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { architectures, frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { loadReasoner } from './load-reasoner.js';
import { estimateMemory } from './memory-estimate.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('estimateMemory', () => {
  it('equals the bytes of tensors that loading the tiny reasoner makes', async () => {
    const before = tf.memory().numBytes;
    const { decoder } = await loadReasoner(modelFolder());
    const { weights, embeddingTable } = estimateMemory(decoder.config);
    expect(weights).toBe(tf.memory().numBytes - before);
    expect(embeddingTable).toBe((await decoder.weights.embedding.rows()).byteLength);
    decoder.dispose();
  });

  it.each(architectures)('equals them for %j', async (changes) => {
    const config = tinyConfig(changes);
    const before = tf.memory().numBytes;
    const decoder = await frozenDecoder(config);
    expect(estimateMemory(config).weights).toBe(tf.memory().numBytes - before);
    decoder.dispose();
  });

  it('knows what a token adds to the cache', async () => {
    const config = tinyConfig({ num_hidden_layers: 3 });
    const decoder = await frozenDecoder(config);
    const cache = decoder.createCache(2);
    const read = (tokens: number): number => {
      const ids = Array.from({ length: 2 * tokens }, () => 1);
      const mask = Array.from({ length: 2 }, () => Array.from({ length: tokens }, () => 1));
      tf.tidy(() => void decoder.forward(decoder.embed(ids), mask, { cache }));
      return tf.memory().numBytes;
    };
    const before = read(4);
    expect(read(5) - before).toBe(2 * 5 * estimateMemory(config).cachePerToken);
    cache.dispose();
    decoder.dispose();
  });

  it('adds up what loading needs, with a second table for a head of its own', () => {
    const table = 4 * 32 * 16;
    const tied = estimateMemory(tinyConfig({ tie_word_embeddings: true }));
    expect(tied).toMatchObject({ embeddingTable: table, loading: table, toLoad: tied.weights + 2 * table });
    const apart = estimateMemory(tinyConfig({ tie_word_embeddings: false }));
    expect(apart).toMatchObject({ weights: tied.weights, loading: 2 * table, toLoad: tied.weights + 3 * table });
  });

  it('halves the matrices, and only them, in bfloat16', () => {
    const config = tinyConfig({ num_hidden_layers: 1 });
    const matrices = 16 * 32 + 16 * 16 + 3 * 16 * 24 + 32 * 16;
    const [full, half] = [estimateMemory(config), estimateMemory(config, { dtype: 'bfloat16' })];
    expect(full.weights - half.weights).toBe(2 * matrices);
    expect(half.embeddingTable).toBe(full.embeddingTable);
  });

  it('says nothing of training unless asked', () => {
    const sizes = { promptTokens: 8, completionTokens: 8 };
    expect(estimateMemory(tinyConfig())).not.toHaveProperty('training');
    expect(estimateMemory(tinyConfig(), { training: sizes }).training?.total).toBeGreaterThan(0);
  });
});
