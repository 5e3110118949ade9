// Weights to a file and back, and files that do not fit their configuration.
import { MemGenError, Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { openSafetensors, writeSafetensors } from '../formats/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import {
  decoderParameters,
  exportDecoderWeights,
  initializeDecoderWeights,
  loadDecoderWeights,
} from './decoder-weights.js';
import { Decoder } from './decoder.js';
import {
  architectures,
  memorySource,
  randomIds,
  readAtOnce,
  tinyConfig,
  trainableDecoder,
} from './tiny-decoder.test-helper.js';

let folder: string;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-weights-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(architectures)('weights of $model_type', (changes) => {
  const config = tinyConfig(changes);

  it('come back from a file as they were, frozen', async () => {
    const before = tf.memory().numTensors;
    const trainable = trainableDecoder(config);
    const tensors = await exportDecoderWeights(trainable.weights, config);
    const path = join(folder, `${changes.model_type}.safetensors`);
    await writeSafetensors(path, tensors);
    const file = await openSafetensors(path);
    const frozen = new Decoder(config, await loadDecoderWeights(file, config));
    await file.close();

    expect(decoderParameters(frozen.weights).size).toBe(0);
    const again = await exportDecoderWeights(frozen.weights, config);
    expect(again).toEqual(tensors);
    const ids = [randomIds(5, 1)];
    const difference = relativeDifference(readAtOnce(frozen, ids)[0]!, readAtOnce(trainable, ids)[0]!);
    expect(difference).toBeLessThan(1e-5);
    trainable.dispose();
    frozen.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are stored under the names and shapes of Hugging Face', async () => {
    const trainable = trainableDecoder(config);
    const shapes = new Map((await exportDecoderWeights(trainable.weights, config)).map((t) => [t.name, t.shape]));
    trainable.dispose();
    const { headSize } = config;
    const layer = 'model.layers.1.';
    expect(shapes.get('model.embed_tokens.weight')).toEqual([32, 16]);
    expect(shapes.get(`${layer}self_attn.q_proj.weight`)).toEqual([4 * headSize, 16]);
    expect(shapes.get(`${layer}self_attn.k_proj.weight`)).toEqual([2 * headSize, 16]);
    expect(shapes.get(`${layer}self_attn.o_proj.weight`)).toEqual([16, 4 * headSize]);
    expect(shapes.get(`${layer}mlp.down_proj.weight`)).toEqual([16, 24]);
    expect(shapes.has('lm_head.weight')).toBe(!config.tiedEmbeddings);
    expect(shapes.has(`${layer}self_attn.q_proj.bias`)).toBe(config.queryKeyValueBias);
    expect(shapes.has(`${layer}self_attn.o_proj.bias`)).toBe(config.outputBias);
    expect(shapes.has(`${layer}mlp.up_proj.bias`)).toBe(config.feedForwardBias);
    expect(shapes.has(`${layer}self_attn.q_norm.weight`)).toBe(config.queryKeyNorm);
  });
});

describe('loadDecoderWeights', () => {
  const config = tinyConfig({ model_type: 'qwen3', head_dim: 8 });

  async function failureWith(change: (tensors: Map<string, { shape: number[]; data: Float32Array }>) => void) {
    const trainable = trainableDecoder(config);
    const tensors = await exportDecoderWeights(trainable.weights, config);
    trainable.dispose();
    const byName = new Map(tensors.map(({ name, ...tensor }) => [name, tensor]));
    change(byName);
    const before = tf.memory().numTensors;
    const source = memorySource([...byName].map(([name, tensor]) => ({ name, ...tensor })));
    const failure = await loadDecoderWeights(source, config).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MemGenError);
    expect(tf.memory().numTensors).toBe(before);
    return failure as MemGenError;
  }

  it.each([
    'model.embed_tokens.weight',
    'model.layers.1.mlp.up_proj.weight',
    'model.layers.0.self_attn.k_norm.weight',
    'model.norm.weight',
    'lm_head.weight',
  ])('names the missing tensor %s and frees what it had read', async (name) => {
    const failure = await failureWith((tensors) => tensors.delete(name));
    expect(failure).toMatchObject({ code: 'model-tensor', where: name });
  });

  it('names a tensor of the wrong shape, what it is and what it should be', async () => {
    const name = 'model.layers.1.self_attn.v_proj.weight';
    const failure = await failureWith((tensors) =>
      tensors.set(name, { shape: [32, 16], data: new Float32Array(32 * 16) }),
    );
    expect(failure).toMatchObject({ code: 'model-tensor', where: name, got: '[32, 16]', expected: '[16, 16]' });
  });

  it('refuses equally many values in another shape', async () => {
    const name = 'model.norm.weight';
    const failure = await failureWith((tensors) => tensors.set(name, { shape: [1, 16], data: new Float32Array(16) }));
    expect(failure).toMatchObject({ code: 'model-tensor', where: name, got: '[1, 16]', expected: '[16]' });
  });
});

describe('initializeDecoderWeights', () => {
  const config = tinyConfig({ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, vocab_size: 100 });
  const deviation = (tensor: tf.Tensor) => tf.tidy(() => tf.sqrt(tf.moments(tensor).variance).dataSync()[0]!);

  it('draws matrices with deviation 1/sqrt(in), smaller at the ends of branches; norms one, biases zero', () => {
    const weights = initializeDecoderWeights(config, Random.fromSeed(1), { embeddingDeviation: 0.05 });
    const layer = weights.layers[1]!;
    expect(deviation(layer.queryKeyValue.weight)).toBeCloseTo(1 / 8, 2);
    expect(deviation(layer.gateUp.weight)).toBeCloseTo(1 / 8, 2);
    expect(deviation(layer.output.weight)).toBeCloseTo(1 / 16, 2);
    expect(deviation(layer.down.weight)).toBeCloseTo(1 / Math.sqrt(4 * 128), 2);
    expect(deviation(weights.head)).toBeCloseTo(0.05, 2);
    expect(new Set(layer.attentionNorm.dataSync())).toEqual(new Set([1]));
    expect(new Set(layer.queryKeyValue.bias!.dataSync())).toEqual(new Set([0]));
    new Decoder(config, weights).dispose();
  });

  it('starts branches at zero if asked, and is the same for the same seed', () => {
    const [first, second] = [1, 1].map((seed) =>
      initializeDecoderWeights(config, Random.fromSeed(seed), { residual: 'zero' }),
    );
    expect(new Set(first!.layers[0]!.output.weight.dataSync())).toEqual(new Set([0]));
    expect(new Set(first!.layers[1]!.down.weight.dataSync())).toEqual(new Set([0]));
    expect(first!.layers[1]!.gateUp.weight.dataSync()).toEqual(second!.layers[1]!.gateUp.weight.dataSync());
    expect(first!.layers[1]!.gateUp.weight.dataSync()).not.toEqual(first!.layers[0]!.gateUp.weight.dataSync());
    for (const weights of [first!, second!]) new Decoder(config, weights).dispose();
  });

  it('names all parameters once; tied embeddings are one', () => {
    const names = (changes: Record<string, unknown>) => {
      const decoder = trainableDecoder(tinyConfig({ num_hidden_layers: 1, ...changes }));
      const found = [...decoderParameters(decoder.weights).keys()];
      decoder.dispose();
      return found;
    };
    expect(names({ tie_word_embeddings: true })).toEqual([
      'embedding',
      'layers.0.queryKeyValue.weight',
      'layers.0.queryKeyValue.bias',
      'layers.0.output.weight',
      'layers.0.gateUp.weight',
      'layers.0.down.weight',
      'layers.0.attentionNorm',
      'layers.0.feedForwardNorm',
      'finalNorm',
    ]);
    expect(names({ tie_word_embeddings: false }).filter((name) => ['embedding', 'head'].includes(name))).toHaveLength(
      2,
    );
  });
});
