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
    expect(embeddingTable).toBe(0);
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

  it('counts a table of its own where the embeddings are not the head', () => {
    const large = { hidden_size: 64, intermediate_size: 64, vocab_size: 64, num_hidden_layers: 8 };
    const tied = estimateMemory(tinyConfig({ ...large, tie_word_embeddings: true }));
    const matrix = 4 * 2 * 64 * 64;
    expect(tied).toMatchObject({ embeddingTable: 0, loading: 2 * matrix, toLoad: tied.weights + 2 * matrix });
    const apart = estimateMemory(tinyConfig({ ...large, tie_word_embeddings: false }));
    expect(apart).toMatchObject({ weights: tied.weights, embeddingTable: 4 * 64 * 64 });
    expect(apart.toLoad).toBe(tied.toLoad + 4 * 64 * 64);
  });

  it('knows that a large vocabulary takes most at the start', () => {
    const { toLoad } = estimateMemory(tinyConfig({ num_hidden_layers: 1, vocab_size: 10_000 }));
    expect(toLoad).toBe(3 * 4 * 10_000 * 16);
  });

  it('adds two bytes for each element of the matrices of layers for products in bfloat16', () => {
    const config = tinyConfig({ num_hidden_layers: 1 });
    const matrices = 16 * 32 + 16 * 16 + 3 * 16 * 24;
    const [full, more] = [estimateMemory(config), estimateMemory(config, { matmulPrecision: 'bfloat16' })];
    expect(more.weights - full.weights).toBe(2 * matrices);
  });

  it('says nothing of training unless asked', () => {
    const sizes = { promptTokens: 8, completionTokens: 8 };
    expect(estimateMemory(tinyConfig())).not.toHaveProperty('training');
    expect(estimateMemory(tinyConfig(), { training: sizes }).training?.total).toBeGreaterThan(0);
  });
});
