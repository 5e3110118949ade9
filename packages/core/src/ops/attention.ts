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

/** Most tokens whose scores are computed together; what comes after the last of them need not be computed for any. */
const blockTokens = 256;

interface Block {
  inputs: AttentionInputs;
  bias: tf.Tensor4D;
  /** First token of the block, and how many there are. */
  start: number;
  tokens: number;
}

/** Tokens in blocks, each with the columns up to its last one; undefined for few tokens, or if nothing is hidden. */
function blocksOf({ query, key, value }: AttentionInputs, bias: tf.Tensor4D | undefined): Block[] | undefined {
  const [batch, heads, allTokens, size] = query.shape;
  const [, keyValueHeads, allColumns] = key.shape;
  if (bias === undefined || allTokens < 2 * blockTokens) return undefined;
  const past = allColumns - allTokens;
  return Array.from({ length: Math.ceil(allTokens / blockTokens) }, (_, i) => {
    const start = i * blockTokens;
    const tokens = Math.min(blockTokens, allTokens - start);
    const columns = past + start + tokens;
    return {
      start,
      tokens,
      inputs: {
        query: tf.slice(query, [0, 0, start, 0], [batch, heads, tokens, size]),
        key: tf.slice(key, [0, 0, 0, 0], [batch, keyValueHeads, columns, size]),
        value: tf.slice(value, [0, 0, 0, 0], [batch, keyValueHeads, columns, size]),
      },
      bias: tf.slice(bias, [0, 0, start, 0], [bias.shape[0], 1, tokens, columns]),
    };
  });
}

/** Result of {@link attend}. */
export interface Attended {
  /** `[batch, heads, tokens, size]` */
  output: tf.Tensor4D;
  /** {@link attentionWeights}, in a shape of the backend's; absent where they are never there all at once. */
  weights: tf.Tensor | undefined;
}

/**
 * The mean of the values by {@link attentionWeights}. The tokens are the last of the columns, and the bias must hide from
 * each what comes after it.
 */
export function attend(inputs: AttentionInputs, bias: tf.Tensor4D | undefined): Attended {
  const fused = runFused('MemgenAttention', { ...inputs, bias });
  if (fused !== undefined) return { output: fused[0] as tf.Tensor4D, weights: undefined };
  const blocks = blocksOf(inputs, bias);
  if (blocks === undefined) return attendAtOnce(inputs, bias);
  const outputs = blocks.map((block) => tf.tidy(() => attendAtOnce(block.inputs, block.bias).output));
  return { output: tf.concat(outputs, 2), weights: undefined };
}

function attendAtOnce(inputs: AttentionInputs, bias: tf.Tensor4D | undefined): Attended {
  const fused = runFused('MemgenAttentionAtOnce', { ...inputs, bias });
  if (fused !== undefined) return { output: fused[0] as tf.Tensor4D, weights: fused[1]! };
  const { groups, columns, size } = sizesOf(inputs);
  const weights = attentionWeights(inputs, bias);
  const value = tf.reshape(inputs.value, [groups, columns, size]);
  return { output: tf.reshape(tf.matMul(weights, value), inputs.query.shape), weights };
}

/**
 * Gradients with respect to query, key and value, in their shapes.
 * @param known - what {@link attend} gave; computed again where the weights are absent or disposed of: they grow with the
 *   square of the length and are quickly made again (as in FlashAttention, Dao et al. 2022).
 */
export function attentionGradient(
  dOutput: tf.Tensor4D,
  inputs: AttentionInputs,
  bias: tf.Tensor4D | undefined,
  known?: Attended,
): AttentionInputs {
  const fused = runFused('MemgenAttentionGradient', { dOutput, ...inputs, bias });
  if (fused !== undefined) {
    const [query, key, value] = fused as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    return { query, key, value };
  }
  const blocks = blocksOf(inputs, bias);
  if (blocks === undefined) return gradientAtOnce(dOutput, inputs, bias, known);
  const [batch, heads, , size] = inputs.query.shape;
  const queries: tf.Tensor4D[] = [];
  let sums: tf.Tensor[] = [];
  for (const block of blocks) {
    const part = tf.tidy(() => {
      const dBlock = tf.slice(dOutput, [0, 0, block.start, 0], [batch, heads, block.tokens, size]);
      const { query, key, value } = gradientAtOnce(dBlock, block.inputs, block.bias);
      const [dKey, dValue] = [key, value].map((gradient, i) => {
        const missing = inputs.key.shape[2] - gradient.shape[2];
        const whole = tf.pad(gradient, [[0, 0], [0, 0], [0, missing], [0, 0]]); // prettier-ignore
        return sums.length === 0 ? whole : tf.add(sums[i]!, whole);
      });
      return { query, key: dKey!, value: dValue! };
    });
    tf.dispose(sums);
    queries.push(part.query);
    sums = [part.key, part.value];
  }
  const query = tf.concat(queries, 2);
  return { query, key: sums[0] as tf.Tensor4D, value: sums[1] as tf.Tensor4D };
}

function gradientAtOnce(
  dOutput: tf.Tensor4D,
  inputs: AttentionInputs,
  bias: tf.Tensor4D | undefined,
  known?: Attended,
): AttentionInputs {
  const isKnown = known?.weights !== undefined && !known.weights.isDisposed && !known.output.isDisposed;
  const { output, weights } = isKnown ? known : attendAtOnce(inputs, bias);
  const fused = runFused('MemgenAttentionAtOnceGradient', { dOutput, output, ...inputs, weights });
  if (fused !== undefined) {
    const [query, key, value] = fused as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    return { query, key, value };
  }
  const { groups, rows, columns, size, scale } = sizesOf(inputs);
  const grouped = (x: tf.Tensor4D) => tf.reshape(x, [groups, rows, size]);
  const shared = (x: tf.Tensor4D) => tf.reshape(x, [groups, columns, size]);
  const dOut = grouped(dOutput);
  // The part of each row's gradient that softmax takes away, the sum of weights * dWeights, without a matrix of them.
  const mean = tf.sum(tf.mul(dOut, grouped(output)), -1, true);
  const dWeights = tf.matMul(dOut, shared(inputs.value), false, true);
  const dScores = tf.mul(tf.mul(weights!, tf.sub(dWeights, mean)), scale);
  return {
    query: tf.reshape(tf.matMul(dScores, shared(inputs.key)), inputs.query.shape),
    key: tf.reshape(tf.matMul(dScores, grouped(inputs.query), true, false), inputs.key.shape),
    value: tf.reshape(tf.matMul(weights!, dOut, true, false), inputs.value.shape),
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
    const attended = attend(inputs, bias);
    const optional = [attended.weights, bias].filter((tensor) => tensor !== undefined);
    (save as tf.GradSaveFunc)([inputs.query, inputs.key, inputs.value, attended.output, ...optional]);
    return {
      value: attended.output,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [query, key, value, output] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const weights = attended.weights === undefined ? undefined : saved[4];
        const savedBias = bias === undefined ? undefined : (saved.at(-1) as tf.Tensor4D);
        const gradients = attentionGradient(dy as tf.Tensor4D, { query, key, value }, savedBias, { output, weights });
        return [gradients.query, gradients.key, gradients.value];
      },
    };
  })(query, key, value) as tf.Tensor4D;
}
