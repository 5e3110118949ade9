// One decoder layer: attention and feed-forward block, each behind an RMS norm and a residual connection.
import * as tf from '@tensorflow/tfjs';
import { attend, attentionGradient } from '../ops/attention.js';
import type { LinearWeights } from '../ops/linear.js';
import { normalize, normalizeGradient, normalizeWeightGradient } from '../ops/rms-norm.js';
import { rotate, rotateBack, type RotaryFactors } from '../ops/rotary.js';
import { gatedActivation, gatedActivationGradient } from '../ops/swiglu.js';
import { isTrainable } from '../ops/trainable.js';
import type { DecoderConfig } from './decoder-config.js';
import { Projection, type AdapterPasses, type CollectGradient } from './projection.js';

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

export interface LayerContext {
  config: DecoderConfig;
  layer: number;
  batch: number;
  tokens: number;
  factors: RotaryFactors;
  /** Added to the scores; see `AttentionColumns.bias`. */
  bias: tf.Tensor4D | undefined;
  adapter?: AdapterPasses | undefined;
}

export interface LayerInputs {
  /** `[batch * tokens, hidden]` */
  hidden: tf.Tensor2D;
  /** Keys of earlier columns in order, in any number of parts `[batch, keyValueHeads, columns, headSize]`. */
  pastKeys: readonly tf.Tensor4D[];
  pastValues: readonly tf.Tensor4D[];
}

export interface LayerOutputs {
  /** `[batch * tokens, hidden]` */
  hidden: tf.Tensor2D;
  /** Keys and values of the new tokens, `[batch, keyValueHeads, tokens, headSize]`. */
  key: tf.Tensor4D;
  value: tf.Tensor4D;
  /** Keys and values of all columns. */
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
}

/** Gradients with respect to the outputs `hidden`, `key` and `value`; absent ones are zero. */
export type LayerOutputGradients = Partial<Pick<LayerOutputs, 'hidden' | 'key' | 'value'>>;

/** A layer's outputs, and how gradients go back through it. */
export interface LinearizedLayer {
  outputs: LayerOutputs;
  /** Tensors that {@link LinearizedLayer.pullback} needs. */
  saved: tf.Tensor[];
  pullback: (gradients: LayerOutputGradients, collect: CollectGradient) => LayerInputs;
}

/**
 * Runs the layer. The gradient is written by hand, not left to a tape: it keeps only what it needs, and computes weight
 * gradients for trainable weights only. Call it, and its pullback, inside `tf.tidy`; keep what is to live on.
 */
export function linearizeLayer(inputs: LayerInputs, weights: LayerWeights, context: LayerContext): LinearizedLayer {
  const { config, batch, tokens, layer, adapter } = context;
  const { heads, keyValueHeads, headSize, hiddenSize, intermediateSize, rmsNormEpsilon: epsilon } = config;
  const rows = batch * tokens;
  const keyWidth = keyValueHeads * headSize;
  const queryKeyValue = new Projection(
    weights.queryKeyValue,
    ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    [heads * headSize, keyWidth, keyWidth],
    layer,
    adapter,
  );
  const output = new Projection(weights.output, ['self_attn.o_proj'], [hiddenSize], layer, adapter);
  const gateUp = new Projection(
    weights.gateUp,
    ['mlp.gate_proj', 'mlp.up_proj'],
    [intermediateSize, intermediateSize],
    layer,
    adapter,
  );
  const down = new Projection(weights.down, ['mlp.down_proj'], [hiddenSize], layer, adapter);

  const { hidden, pastKeys, pastValues } = inputs;
  const first = normalize(hidden, weights.attentionNorm, epsilon);
  const perHead = toHeads(queryKeyValue.apply(first.output), context, heads + 2 * keyValueHeads);
  const rotated = rotateHeads(perHead, weights, context);
  const { query, key, value } = rotated;
  const keys = pastKeys.length === 0 ? key : tf.concat([...pastKeys, key], 2);
  const values = pastValues.length === 0 ? value : tf.concat([...pastValues, value], 2);
  const attention = attend({ query, key: keys, value: values }, context.bias);
  const mixed = fromHeads(attention.output, rows);
  const afterAttention = tf.add<tf.Tensor2D>(hidden, output.apply(mixed));
  const second = normalize(afterAttention, weights.feedForwardNorm, epsilon);
  const gates = gateUp.apply(second.output);
  const activated = gatedActivation(gates);
  const outputs = { hidden: tf.add<tf.Tensor2D>(afterAttention, down.apply(activated)), key, value, keys, values };

  const saved = [
    first.inverse, query, keys, values, afterAttention, second.inverse, gates,
    ...rotated.saved,
    ...(queryKeyValue.usesInput ? [first.output] : []),
    ...(output.usesInput ? [mixed] : []),
    ...(gateUp.usesInput ? [second.output] : []),
    ...(down.usesInput ? [activated] : []),
  ]; // prettier-ignore

  const pullback = (gradients: LayerOutputGradients, collect: CollectGradient): LayerInputs => {
    const dHidden = gradients.hidden ?? tf.zerosLike(hidden);
    const normBack = (dOutput: tf.Tensor2D, x: tf.Tensor2D, inverse: tf.Tensor, weight: tf.Tensor1D) => {
      if (isTrainable(weight)) collect(weight, normalizeWeightGradient(dOutput, x, inverse));
      return normalizeGradient(dOutput, x, inverse, weight);
    };
    const dGates = gatedActivationGradient(down.pullback(dHidden, activated, collect), gates);
    const dSecond = gateUp.pullback(dGates, second.output, collect);
    const dAfter = tf.add<tf.Tensor2D>(
      dHidden,
      normBack(dSecond, afterAttention, second.inverse, weights.feedForwardNorm),
    );
    const dMixed = output.pullback(dAfter, mixed, collect);
    const dAttention = attentionGradient(
      toHeads(dMixed, context, heads),
      { query, key: keys, value: values },
      context.bias,
      // Not among the saved: they are made again where they are gone.
      attention.weights,
    );
    const [dPastKeys, dKey] = splitColumns(dAttention.key, pastKeys, gradients.key);
    const [dPastValues, dValue] = splitColumns(dAttention.value, pastValues, gradients.value);
    const dPerHead = rotated.pullback({ query: dAttention.query, key: dKey, value: dValue }, collect);
    const dFirst = queryKeyValue.pullback(fromHeads(dPerHead, rows), first.output, collect);
    const dInput = tf.add<tf.Tensor2D>(dAfter, normBack(dFirst, hidden, first.inverse, weights.attentionNorm));
    return { hidden: dInput, pastKeys: dPastKeys, pastValues: dPastValues };
  };
  return { outputs, saved, pullback };
}

/** `[batch * tokens, heads * size] -> [batch, heads, tokens, size]`; a single token needs no copy. */
function toHeads(x: tf.Tensor2D, { batch, tokens, config }: LayerContext, heads: number): tf.Tensor4D {
  const size = config.headSize;
  if (tokens === 1) return tf.reshape(x, [batch, heads, 1, size]);
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]);
}

function fromHeads(x: tf.Tensor4D, rows: number): tf.Tensor2D {
  return tf.reshape(x.shape[2] === 1 ? x : tf.transpose(x, [0, 2, 1, 3]), [rows, -1]);
}

/** Gradient of all columns, split into those of the past parts and of the new tokens (where more may flow in). */
function splitColumns(
  all: tf.Tensor4D,
  past: readonly tf.Tensor4D[],
  more: tf.Tensor4D | undefined,
): [tf.Tensor4D[], tf.Tensor4D] {
  const widths = past.map((part) => part.shape[2]);
  const width = all.shape[2] - widths.reduce((sum, count) => sum + count, 0);
  const parts = (past.length === 0 ? [all] : tf.split(all, [...widths, width], 2)) as tf.Tensor4D[];
  const last = parts.at(-1)!;
  return [parts.slice(0, -1), more === undefined ? last : tf.add(last, more)];
}

interface Heads {
  query: tf.Tensor4D;
  key: tf.Tensor4D;
  value: tf.Tensor4D;
}

/** Splits the heads, normalises queries and keys where the model does, and rotates positions in where the layer does. */
function rotateHeads(
  perHead: tf.Tensor4D,
  { queryNorm, keyNorm }: LayerWeights,
  { config, layer, batch, tokens, factors }: LayerContext,
): Heads & { saved: tf.Tensor[]; pullback: (gradients: Heads, collect: CollectGradient) => tf.Tensor4D } {
  const { heads, keyValueHeads, headSize, rmsNormEpsilon } = config;
  const take = (x: tf.Tensor4D, from: number, count: number) =>
    tf.slice(x, [0, from, 0, 0], [batch, count, tokens, headSize]);
  const rotates = config.layerUsesRotary[layer] === true;
  const value = take(perHead, heads + keyValueHeads, keyValueHeads);
  let queryKey = take(perHead, 0, heads + keyValueHeads);
  const norms = [queryNorm, keyNorm].flatMap((weight, i) => {
    if (weight === undefined) return [];
    const x = i === 0 ? take(queryKey, 0, heads) : take(queryKey, heads, keyValueHeads);
    return [{ x, weight, ...normalize(x, weight, rmsNormEpsilon) }];
  });
  if (norms.length === 2) queryKey = tf.concat([norms[0]!.output, norms[1]!.output], 1);
  if (rotates) queryKey = rotate(queryKey, factors);

  const pullback = (gradients: Heads, collect: CollectGradient): tf.Tensor4D => {
    let dQueryKey = tf.concat([gradients.query, gradients.key], 1);
    if (rotates) dQueryKey = rotateBack(dQueryKey, factors);
    if (norms.length === 2) {
      const parts = [take(dQueryKey, 0, heads), take(dQueryKey, heads, keyValueHeads)].map((dOutput, i) => {
        const { x, inverse, weight } = norms[i]!;
        if (isTrainable(weight)) collect(weight, normalizeWeightGradient(dOutput, x, inverse));
        return normalizeGradient(dOutput, x, inverse, weight);
      });
      dQueryKey = tf.concat(parts, 1);
    }
    return tf.concat([dQueryKey, gradients.value], 1);
  };
  const saved = norms.flatMap(({ x, inverse }) => [x, inverse]);
  return { query: take(queryKey, 0, heads), key: take(queryKey, heads, keyValueHeads), value, saved, pullback };
}
