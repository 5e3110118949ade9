// Frozen decoders whose weights are representable in bfloat16 or not, and what a decoder makes of whole sequences.
import * as tf from '@tensorflow/tfjs';
import type { DecoderConfig } from '../model/decoder-config.js';
import { exportDecoderWeights, loadDecoderWeights } from '../model/decoder-weights.js';
import { Decoder } from '../model/decoder.js';
import type { LoraAdapter } from '../model/lora.js';
import { frozenDecoder, memorySource, readAtOnce } from '../model/tiny-decoder.test-helper.js';

export type Weights = 'float32' | 'bfloat16';

/** The caller disposes. */
export async function decoderWith(weights: Weights, config: DecoderConfig): Promise<Decoder> {
  const exact = await frozenDecoder(config);
  if (weights === 'float32') return exact;
  const tensors = await exportDecoderWeights(exact.weights, config);
  exact.dispose();
  for (const { data } of tensors) {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < words.length; i++) words[i] = words[i]! & 0xffff0000;
  }
  return new Decoder(config, await loadDecoderWeights(memorySource(tensors), config));
}

/** Final hidden states of the last `counts[b]` columns of each sequence, one after the other. */
export function lastHidden(
  decoder: Decoder,
  sequences: readonly (readonly number[])[],
  counts: readonly number[],
  adapter?: LoraAdapter,
): Float32Array {
  const rows = readAtOnce(decoder, sequences, 'right', adapter);
  const size = decoder.config.hiddenSize;
  return Float32Array.from(rows.flatMap((row, b) => [...row.subarray(row.length - counts[b]! * size)]));
}

/** Logits of hidden states `[columns * hidden]`. */
export function logitsOf(decoder: Decoder, hidden: Float32Array): Float32Array {
  const size = decoder.config.hiddenSize;
  return tf.tidy(() => decoder.logits(tf.tensor2d(hidden, [hidden.length / size, size])).dataSync<'float32'>());
}
