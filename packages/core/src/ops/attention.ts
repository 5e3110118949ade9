// Scaled dot-product attention with grouped key-value heads, with its gradient.
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';

/** What the gradient of attention needs. */
export interface AttentionInputs {
  /** `[batch, heads, tokens, size]` */
  query: tf.Tensor4D;
  /** `[batch, keyValueHeads, columns, size]`; `heads` is a multiple of `keyValueHeads`. */
  key: tf.Tensor4D;
  value: tf.Tensor4D;
}

interface Sizes {
  groups: number;
  rows: number;
  columns: number;
  size: number;
  scale: number;
}

/** Key-value heads are never repeated in memory: the queries of a group are stacked along the token axis instead. */
function sizesOf({ query, key }: Pick<AttentionInputs, 'query' | 'key'>): Sizes {
  const [batch, heads, tokens, size] = query.shape;
  const [, keyValueHeads, columns] = key.shape;
  const rows = (heads / keyValueHeads) * tokens;
  return { groups: batch * keyValueHeads, rows, columns, size, scale: 1 / Math.sqrt(size) };
}

/**
 * Softmax of the scores, `[groups, rows, columns]`. `bias [batch or 1, 1, tokens, columns]` is added to the scores (0 or
 * very negative).
 */
export function attentionWeights(
  inputs: Pick<AttentionInputs, 'query' | 'key'>,
  bias: tf.Tensor4D | undefined,
): tf.Tensor3D {
  const { groups, rows, columns, size, scale } = sizesOf(inputs);
  const [batch, heads, tokens] = inputs.query.shape;
  const query = tf.reshape(tf.mul(inputs.query, scale), [groups, rows, size]);
  const key = tf.reshape(inputs.key, [groups, columns, size]);
  let scores: tf.Tensor = tf.matMul(query, key, false, true);
  if (bias !== undefined) {
    const perHead = tf.add(tf.reshape(scores, [batch, heads, tokens, columns]), bias);
    scores = tf.reshape(perHead, [groups, rows, columns]);
  }
  return tf.softmax(scores) as tf.Tensor3D;
}

/** Result of {@link attend}. */
export interface Attended {
  /** `[batch, heads, tokens, size]` */
  output: tf.Tensor4D;
  /** {@link attentionWeights}; absent on a backend whose kernel never holds them all. */
  weights: tf.Tensor3D | undefined;
}

/** The mean of the values by {@link attentionWeights}. */
export function attend(inputs: AttentionInputs, bias: tf.Tensor4D | undefined): Attended {
  const fused = runFused('MemgenAttention', { ...inputs, bias });
  if (fused !== undefined) return { output: fused[0] as tf.Tensor4D, weights: undefined };
  const { groups, columns, size } = sizesOf(inputs);
  const weights = attentionWeights(inputs, bias);
  const value = tf.reshape(inputs.value, [groups, columns, size]);
  return { output: tf.reshape(tf.matMul(weights, value), inputs.query.shape), weights };
}

/**
 * Gradients with respect to query, key and value, in their shapes.
 * @param known - the weights; computed again if absent or disposed of: they grow with the square of the length and are
 *   quickly made again (as in FlashAttention, Dao et al. 2022).
 */
export function attentionGradient(
  dOutput: tf.Tensor4D,
  inputs: AttentionInputs,
  bias: tf.Tensor4D | undefined,
  known?: tf.Tensor3D,
): AttentionInputs {
  const fused = runFused('MemgenAttentionGradient', { dOutput, ...inputs, bias });
  if (fused !== undefined) {
    const [query, key, value] = fused as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    return { query, key, value };
  }
  const weights = known === undefined || known.isDisposed ? attentionWeights(inputs, bias) : known;
  const { groups, rows, columns, size, scale } = sizesOf(inputs);
  const key = tf.reshape(inputs.key, [groups, columns, size]);
  const value = tf.reshape(inputs.value, [groups, columns, size]);
  const query = tf.reshape(inputs.query, [groups, rows, size]);
  const dOut = tf.reshape(dOutput, [groups, rows, size]);
  const weighted = tf.mul(tf.matMul(dOut, value, false, true), weights);
  const dScores = tf.mul(tf.sub(weighted, tf.mul(weights, tf.sum(weighted, -1, true))), scale);
  return {
    query: tf.reshape(tf.matMul(dScores, key), inputs.query.shape),
    key: tf.reshape(tf.matMul(dScores, query, true, false), inputs.key.shape),
    value: tf.reshape(tf.matMul(weights, dOut, true, false), inputs.value.shape),
  };
}

/** {@link attend} for tfjs's own gradient tape; returns `[batch, heads, tokens, size]`. */
export function attention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  bias: tf.Tensor4D | undefined,
): tf.Tensor4D {
  return tf.customGrad((q, k, v, save) => {
    const inputs = { query: q, key: k, value: v } as AttentionInputs;
    const { output, weights } = attend(inputs, bias);
    const kept = [inputs.query, inputs.key, inputs.value, weights, bias].filter((tensor) => tensor !== undefined);
    (save as tf.GradSaveFunc)(kept);
    return {
      value: output,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [query, key, value] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const known = weights === undefined ? undefined : (saved[3] as tf.Tensor3D);
        const savedBias = bias === undefined ? undefined : (saved.at(-1) as tf.Tensor4D);
        const gradients = attentionGradient(dy as tf.Tensor4D, { query, key, value }, savedBias, known);
        return [gradients.query, gradients.key, gradients.value];
      },
    };
  })(query, key, value) as tf.Tensor4D;
}
