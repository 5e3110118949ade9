// One decoder layer: attention and feed-forward block, each behind an RMS norm and a residual connection.
import * as tf from '@tensorflow/tfjs';
import { attention } from '../ops/attention.js';
import { linear, type LinearWeights } from '../ops/linear.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { rotary, type RotaryFactors } from '../ops/rotary.js';
import { swiglu } from '../ops/swiglu.js';
import type { DecoderConfig } from './decoder-config.js';
import { seededDropout } from './dropout.js';
import { adaptableModules, loraKey, type AdaptableModule, type LoraAdapter } from './lora.js';

/** Weights of a layer. Query, key and value projections lie side by side, as do gate and up: fewer, larger products. */
export interface LayerWeights {
  attentionNorm: tf.Tensor1D;
  /** `[hidden, (heads + 2 * keyValueHeads) * headSize]` */
  queryKeyValue: LinearWeights;
  queryNorm?: tf.Tensor1D;
  keyNorm?: tf.Tensor1D;
  output: LinearWeights;
  feedForwardNorm: tf.Tensor1D;
  /** `[hidden, 2 * intermediate]` */
  gateUp: LinearWeights;
  down: LinearWeights;
}

/** An adapter in use, with the seed of this pass when its dropout is on. */
export interface AdapterPass {
  adapter: LoraAdapter;
  /** Dropout is active only when given. */
  dropoutSeed?: number;
}

export interface LayerContext {
  config: DecoderConfig;
  layer: number;
  batch: number;
  tokens: number;
  factors: RotaryFactors;
  /** Added to the scores; see `AttentionColumns.bias`. */
  bias: tf.Tensor4D | undefined;
  adapter?: AdapterPass | undefined;
}

export interface LayerResult {
  /** `[batch * tokens, hidden]` */
  hidden: tf.Tensor2D;
  /** Keys and values of the new tokens, `[batch, keyValueHeads, tokens, headSize]`. */
  key: tf.Tensor4D;
  value: tf.Tensor4D;
  /** Keys and values of all columns, `[batch, keyValueHeads, columns, headSize]`. */
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
}

/**
 * @param hidden - `[batch * tokens, hidden]`.
 * @param pastKeys - keys of earlier columns in order, in any number of parts `[batch, keyValueHeads, columns, headSize]`.
 */
export function decoderLayer(
  hidden: tf.Tensor2D,
  pastKeys: readonly tf.Tensor4D[],
  pastValues: readonly tf.Tensor4D[],
  weights: LayerWeights,
  context: LayerContext,
): LayerResult {
  const { config, batch, tokens } = context;
  const { heads, keyValueHeads, headSize } = config;

  const normed = rmsNorm(hidden, weights.attentionNorm, config.rmsNormEpsilon) as tf.Tensor2D;
  const sizes = [heads * headSize, keyValueHeads * headSize, keyValueHeads * headSize];
  const projected = adapted(
    normed,
    linear(normed, weights.queryKeyValue),
    ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    sizes,
    context,
  );
  const perHead = toHeads(projected, batch, tokens, heads + 2 * keyValueHeads, headSize);
  const { query, key, value } = rotatedHeads(perHead, weights, context);
  const keys = pastKeys.length === 0 ? key : tf.concat([...pastKeys, key], 2);
  const values = pastValues.length === 0 ? value : tf.concat([...pastValues, value], 2);
  const mixed = fromHeads(attention(query, keys, values, context.bias), batch * tokens, heads * headSize);
  const attended = adapted(mixed, linear(mixed, weights.output), ['self_attn.o_proj'], [config.hiddenSize], context);
  const afterAttention = tf.add(hidden, attended);

  const normedAgain = rmsNorm(afterAttention, weights.feedForwardNorm, config.rmsNormEpsilon) as tf.Tensor2D;
  const gateUp = adapted(
    normedAgain,
    linear(normedAgain, weights.gateUp),
    ['mlp.gate_proj', 'mlp.up_proj'],
    [config.intermediateSize, config.intermediateSize],
    context,
  );
  const activated = swiglu(gateUp);
  const down = adapted(activated, linear(activated, weights.down), ['mlp.down_proj'], [config.hiddenSize], context);
  return { hidden: tf.add(afterAttention, down), key, value, keys, values };
}

/** Adds the adapter's low-rank products to a projection that holds several modules side by side. */
function adapted(
  input: tf.Tensor2D,
  projected: tf.Tensor2D,
  modules: readonly AdaptableModule[],
  sizes: readonly number[],
  { layer, adapter }: LayerContext,
): tf.Tensor2D {
  if (adapter === undefined) return projected;
  const { adapter: lora, dropoutSeed } = adapter;
  const found = modules.map((module) => lora.modules.get(loraKey(layer, module)));
  if (found.every((module) => module === undefined)) return projected;
  const rate = dropoutSeed === undefined ? 0 : (lora.config.dropout ?? 0);
  const parts = modules.length === 1 ? [projected] : tf.split(projected, [...sizes], 1);
  const sums = parts.map((part, i) => {
    const module = found[i];
    if (module === undefined) return part;
    const seed = (dropoutSeed ?? 0) + layer * adaptableModules.length + adaptableModules.indexOf(modules[i]!);
    const low = tf.matMul(seededDropout(input, rate, seed), module.a);
    return tf.add(part, tf.matMul(tf.mul(low, module.scaling), module.b));
  });
  return (sums.length === 1 ? sums[0] : tf.concat(sums, 1)) as tf.Tensor2D;
}

/** `[batch * tokens, heads * size] -> [batch, heads, tokens, size]`; a single token needs no copy. */
function toHeads(x: tf.Tensor2D, batch: number, tokens: number, heads: number, size: number): tf.Tensor4D {
  if (tokens === 1) return tf.reshape(x, [batch, heads, 1, size]);
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]);
}

function fromHeads(x: tf.Tensor4D, rows: number, width: number): tf.Tensor2D {
  return tf.reshape(x.shape[2] === 1 ? x : tf.transpose(x, [0, 2, 1, 3]), [rows, width]);
}

/** Splits the heads, normalises queries and keys where the model does, and rotates positions in where the layer does. */
function rotatedHeads(
  perHead: tf.Tensor4D,
  weights: LayerWeights,
  { config, layer, batch, tokens, factors }: LayerContext,
): { query: tf.Tensor4D; key: tf.Tensor4D; value: tf.Tensor4D } {
  const { heads, keyValueHeads, headSize } = config;
  const take = (x: tf.Tensor4D, from: number, count: number) =>
    tf.slice(x, [0, from, 0, 0], [batch, count, tokens, headSize]);
  const value = take(perHead, heads + keyValueHeads, keyValueHeads);
  let queryKey = take(perHead, 0, heads + keyValueHeads);
  if (weights.queryNorm !== undefined && weights.keyNorm !== undefined) {
    const query = rmsNorm(take(queryKey, 0, heads), weights.queryNorm, config.rmsNormEpsilon);
    const key = rmsNorm(take(queryKey, heads, keyValueHeads), weights.keyNorm, config.rmsNormEpsilon);
    queryKey = tf.concat([query, key], 1) as tf.Tensor4D;
  }
  if (config.layerUsesRotary[layer] === true) queryKey = rotary(queryKey, factors);
  return { query: take(queryKey, 0, heads), key: take(queryKey, heads, keyValueHeads), value };
}
