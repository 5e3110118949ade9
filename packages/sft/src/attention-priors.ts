// Two priors for the attention of a new decoder that make it find, within few steps, how to look things up in its prompt.
import type { Decoder } from '@memgen/core';
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';

/**
 * Makes key projections resemble query projections (correlation `tie`), so that from the start a token attends to tokens
 * like itself. Needs as many key-value heads as heads.
 * @param tie - 0 leaves everything as it is, 1 makes them equal.
 */
export function tieKeysToQueries({ config, weights }: Decoder, tie: number): void {
  requireFullHeads(config.heads, config.keyValueHeads);
  for (const { queryKeyValue } of weights.layers) {
    tf.tidy(() => {
      const [query, key, value] = tf.split(queryKeyValue.weight, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
      const tied = tf.add(tf.mul(query, tie), tf.mul(key, Math.sqrt(1 - tie * tie)));
      variable(queryKeyValue.weight).assign(tf.concat([query, tied as tf.Tensor2D, value], 1));
    });
  }
}

/**
 * Turns the first head of the first layer into one that attends to the previous token, through its query and key biases
 * alone: their rotated product peaks one place back. What it reads by content is damped, not removed.
 * @param strength - length of the biases per channel pair; the peak grows with its square.
 */
export async function setPreviousTokenHead({ config, weights }: Decoder, strength: number): Promise<void> {
  const { headSize, heads, keyValueHeads } = config;
  requireFullHeads(heads, keyValueHeads);
  const { weight, bias } = weights.layers[0]!.queryKeyValue;
  if (bias === undefined) {
    throw new MemGenError({
      code: 'attention-prior',
      message: 'a previous-token head is set through the biases of queries and keys, and this architecture has none',
      hint: 'use model_type qwen2, or attention_bias: true',
    });
  }
  const half = headSize / 2;
  const width = heads * headSize;
  const values = Float32Array.from(await bias.data());
  tf.tidy(() => {
    config.rotary.inverseFrequencies.forEach((frequency, i) => {
      values[i] = strength * Math.cos(frequency);
      values[half + i] = -strength * Math.sin(frequency);
      values[width + i] = strength;
      values[width + half + i] = 0;
    });
    variable(bias).assign(tf.tensor1d(values));
    const scale = Float32Array.from({ length: 3 * width }, (_, column) =>
      column < 2 * width && column % width < headSize ? 0.3 : 1,
    );
    variable(weight).assign(tf.mul(weight, tf.tensor2d(scale, [1, 3 * width])));
  });
}

function variable<R extends tf.Rank>(tensor: tf.Tensor<R>): tf.Variable<R> {
  if (tensor instanceof tf.Variable) return tensor as tf.Variable<R>;
  throw new MemGenError({ code: 'attention-prior', message: 'priors are for new, trainable weights' });
}

function requireFullHeads(heads: number, keyValueHeads: number): void {
  if (heads === keyValueHeads) return;
  throw new MemGenError({
    code: 'attention-prior',
    message: 'attention priors need as many key-value heads as heads',
    got: `${heads} heads, ${keyValueHeads} key-value heads`,
  });
}
