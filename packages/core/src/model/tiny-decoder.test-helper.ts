// Small decoders of every architecture for tests, trainable or frozen, with nothing at its default value.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { TensorSource } from '../formats/tensor-source.js';
import { readDecoderConfig, type DecoderConfig } from './decoder-config.js';
import {
  decoderParameters,
  exportDecoderWeights,
  initializeDecoderWeights,
  loadDecoderWeights,
  type NamedTensor,
} from './decoder-weights.js';
import { Decoder } from './decoder.js';
import type { LoraAdapter } from './lora.js';

/** Content of a config.json; grouped heads, two layers. */
export function tinyConfigJson(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    model_type: 'qwen2',
    vocab_size: 32,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 128,
    rope_theta: 100,
    ...changes,
  };
}

export function tinyConfig(changes: Record<string, unknown> = {}): DecoderConfig {
  return readDecoderConfig(tinyConfigJson(changes));
}

/** The architectures with their switches on. */
export const architectures = [
  { model_type: 'llama', tie_word_embeddings: false, mlp_bias: true, attention_bias: true },
  { model_type: 'mistral', tie_word_embeddings: false, sliding_window: null },
  { model_type: 'qwen2', tie_word_embeddings: true },
  { model_type: 'qwen3', tie_word_embeddings: false, head_dim: 8 },
  { model_type: 'smollm3', tie_word_embeddings: true, no_rope_layers: [1, 0] },
];

/** A trainable decoder whose norms and biases are random too. The caller disposes. */
export function trainableDecoder(config: DecoderConfig, seed = 1): Decoder {
  const random = Random.fromSeed(seed);
  const weights = initializeDecoderWeights(config, random, { embeddingDeviation: 0.7 });
  for (const [name, variable] of decoderParameters(weights)) {
    if (variable.rank !== 1) continue;
    const stream = random.fork(name);
    tf.tidy(() => {
      const noise = Float32Array.from({ length: variable.size }, () => 0.3 * stream.normal());
      variable.assign(tf.add(variable, tf.tensor1d(noise)));
    });
  }
  return new Decoder(config, weights);
}

/** The same decoder with frozen weights. The caller disposes. */
export async function frozenDecoder(config: DecoderConfig, seed = 1): Promise<Decoder> {
  const trainable = trainableDecoder(config, seed);
  const tensors = await exportDecoderWeights(trainable.weights, config);
  trainable.dispose();
  return new Decoder(config, await loadDecoderWeights(memorySource(tensors), config));
}

/** Tensors in memory as if they lay in a file. */
export function memorySource(tensors: readonly NamedTensor[]): TensorSource {
  const data = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
  return {
    tensors: new Map(
      tensors.map(({ name, shape }) => [name, { name, shape, dtype: 'F32', byteLength: 4 * data.get(name)!.length }]),
    ),
    readFloat32: (name) => Promise.resolve(Float32Array.from(data.get(name)!)),
    close: () => Promise.resolve(),
  };
}

/** Random token ids. */
export function randomIds(length: number, seed: number, vocabulary = 32): number[] {
  const random = Random.fromSeed(seed);
  return Array.from({ length }, () => random.int(vocabulary));
}

/** Final hidden states of sequences read at once, each `[length * hidden]`, padded on the given side. */
export function readAtOnce(
  decoder: Decoder,
  sequences: readonly (readonly number[])[],
  side: 'left' | 'right' = 'right',
  adapter?: LoraAdapter,
): Float32Array[] {
  const width = Math.max(...sequences.map((ids) => ids.length));
  const missing = sequences.map((ids) => Array.from({ length: width - ids.length }, () => 0));
  const padded = sequences.map((ids, b) => (side === 'left' ? [...missing[b]!, ...ids] : [...ids, ...missing[b]!]));
  const ones = sequences.map((ids) => ids.map(() => 1));
  const mask = ones.map((row, b) => (side === 'left' ? [...missing[b]!, ...row] : [...row, ...missing[b]!]));
  const cache = decoder.createCache(sequences.length);
  const hidden = tf.tidy(
    () =>
      decoder
        .forward(decoder.embed(padded.flat()), mask, { cache, adapter: adapter && { adapter } })
        .dataSync() as Float32Array,
  );
  cache.dispose();
  const size = decoder.config.hiddenSize;
  return sequences.map((ids, b) => {
    const start = (b * width + (side === 'left' ? width - ids.length : 0)) * size;
    return hidden.slice(start, start + ids.length * size);
  });
}
