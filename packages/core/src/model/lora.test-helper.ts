// Adapters for tests whose B is not zero, so that they change what is computed.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { DecoderConfig } from './decoder-config.js';
import { LoraAdapter, type LoraConfig } from './lora.js';

/** The caller disposes. */
export function busyAdapter(decoder: DecoderConfig, config: LoraConfig, seed = 5): LoraAdapter {
  const adapter = LoraAdapter.initialize(decoder, config, Random.fromSeed(seed));
  const random = Random.fromSeed(seed + 1);
  for (const { b } of adapter.modules.values()) {
    const values = Float32Array.from({ length: b.size }, () => 0.3 * random.normal());
    tf.tidy(() => {
      b.assign(tf.tensor2d(values, b.shape));
    });
  }
  return adapter;
}
