// The heads of a layer: queries, keys and values apart, normalised and rotated where the model does; and back.
import * as tf from '@tensorflow/tfjs';
import { normalize, normalizeGradient, normalizeWeightGradient } from '../ops/rms-norm.js';
import { rotate, rotateBack, type RotaryFactors } from '../ops/rotary.js';
import { isTrainable } from '../ops/trainable.js';
import type { DecoderConfig } from './decoder-config.js';
import type { CollectGradient } from './projection.js';

/** `[batch, heads or keyValueHeads, tokens, headSize]` each. */
export interface Heads {
  query: tf.Tensor4D;
  key: tf.Tensor4D;
  value: tf.Tensor4D;
}

export interface RotatedHeads extends Heads {
  /** Tensors that {@link RotatedHeads.pullback} needs. */
  saved: tf.Tensor[];
  pullback: (gradients: Heads, collect: CollectGradient) => tf.Tensor4D;
}

/**
 * Splits `[batch, heads + 2 * keyValueHeads, tokens, headSize]`, normalises queries and keys where the layer has weights for
 * that, and rotates positions in where it is given factors.
 */
export function rotateHeads(
  perHead: tf.Tensor4D,
  { queryNorm, keyNorm }: { queryNorm?: tf.Tensor1D; keyNorm?: tf.Tensor1D },
  { heads, keyValueHeads, rmsNormEpsilon }: DecoderConfig,
  factors: RotaryFactors | undefined,
): RotatedHeads {
  const apart = (x: tf.Tensor4D) => tf.split(x, [heads, keyValueHeads], 1) as [tf.Tensor4D, tf.Tensor4D];
  const [joined, value] = tf.split(perHead, [heads + keyValueHeads, keyValueHeads], 1) as [tf.Tensor4D, tf.Tensor4D];
  const weights = queryNorm === undefined || keyNorm === undefined ? [] : [queryNorm, keyNorm];
  const inputs = weights.length === 0 ? [] : apart(joined);
  const norms = weights.map((weight, i) => {
    const x = inputs[i]!;
    return { x, weight, ...normalize(x, weight, rmsNormEpsilon) };
  });
  const normed = norms.length === 0 ? joined : (tf.concat(norms.map(({ output }) => output), 1) as tf.Tensor4D); // prettier-ignore
  const [query, key] = apart(factors === undefined ? normed : rotate(normed, factors));

  const pullback = (gradients: Heads, collect: CollectGradient): tf.Tensor4D => {
    const dRotated = tf.concat([gradients.query, gradients.key], 1);
    let dJoined = factors === undefined ? dRotated : rotateBack(dRotated, factors);
    if (norms.length > 0) {
      const parts = apart(dJoined).map((dOutput, i) => {
        const { x, inverse, weight } = norms[i]!;
        if (isTrainable(weight)) collect(weight, normalizeWeightGradient(dOutput, x, inverse));
        return normalizeGradient(dOutput, x, inverse, weight);
      });
      dJoined = tf.concat(parts, 1);
    }
    return tf.concat([dJoined, gradients.value], 1);
  };
  return { query, key, value, saved: norms.flatMap(({ x, inverse }) => [x, inverse]), pullback };
}
