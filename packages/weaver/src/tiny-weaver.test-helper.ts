// A small weaver for tests whose adapter is not zero, as a new one's would be.
import { Random } from '@memgen/common';
import type { Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { LatentWeaver } from './latent-weaver.js';

export interface TinyWeaverOptions {
  /** @default that of the base model */
  reasonerHidden?: number;
  /** @default 3 */
  promptLatents?: number;
  /** @default 2 */
  inferenceLatents?: number;
  /** @default 0 */
  dropout?: number;
  /** @default 1 */
  seed?: number;
}

/** The caller disposes. */
export function tinyWeaver(
  base: Decoder,
  {
    reasonerHidden = base.config.hiddenSize,
    promptLatents = 3,
    inferenceLatents = 2,
    dropout = 0,
    seed = 1,
  }: TinyWeaverOptions = {},
): LatentWeaver {
  const random = Random.fromSeed(seed);
  const lora = { r: 2, alpha: 4, dropout, targetModules: ['q_proj', 'v_proj', 'down_proj'] };
  const weaver = LatentWeaver.initialize(base, reasonerHidden, { promptLatents, inferenceLatents, lora }, random);
  for (const [name, variable] of weaver.parameters()) {
    if (!/lora_B|_ln|_scale/.test(name)) continue;
    const stream = random.fork(`noise ${name}`);
    tf.tidy(() => {
      const noise = Float32Array.from({ length: variable.size }, () => 0.2 * stream.normal());
      variable.assign(tf.add(variable, tf.tensor(noise, variable.shape)));
    });
  }
  return weaver;
}
