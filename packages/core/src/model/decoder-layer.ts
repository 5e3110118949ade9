// One decoder layer: attention and feed-forward block, each behind an RMS norm and a residual connection.
import * as tf from '@tensorflow/tfjs';
import { attend, attentionGradient } from '../ops/attention.js';
import type { LinearWeights } from '../ops/linear.js';
import { normalize, normalizeGradient, normalizeWeightGradient } from '../ops/rms-norm.js';
import type { RotaryFactors } from '../ops/rotary.js';
import { gatedActivation, gatedActivationGradient } from '../ops/swiglu.js';
import { isTrainable } from '../ops/trainable.js';
import type { DecoderConfig } from './decoder-config.js';
import {
  linearizeProjection,
  type AdapterPasses,
  type CollectGradient,
  type LinearizedProjection,
  type Projection,
} from './projection.js';
import { rotateHeads } from './rotate-heads.js';
import { asRows, asTokens, behindZeros, fromHeads, lastTokens, toHeads } from './token-axis.js';

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
  /** Tokens at the end of each row whose hidden states are wanted; the others make keys and values alone. @default all */
  last?: number | undefined;
  /** Whether a gradient will be asked for: else the layer has no pullback. */
  differentiated: boolean;
}

export interface LayerInputs {
  /** `[batch * tokens, hidden]` */
  hidden: tf.Tensor2D;
  /** Keys of earlier columns in order, in any number of parts `[batch, keyValueHeads, columns, headSize]`. */
  pastKeys: readonly tf.Tensor4D[];
  pastValues: readonly tf.Tensor4D[];
}

export interface LayerOutputs {
  /** `[batch * last, hidden]` */
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
  const { config, batch, tokens, layer, adapter, factors, last = tokens, differentiated } = context;
  const { heads, keyValueHeads, headSize, hiddenSize, intermediateSize, rmsNormEpsilon: epsilon } = config;
  const queries = heads * headSize;
  const keyWidth = keyValueHeads * headSize;
  const project = (input: tf.Tensor2D, weights: LinearWeights, modules: Projection['modules']): LinearizedProjection =>
    linearizeProjection(input, { weights, modules, layer, adapter });

  const { hidden, pastKeys, pastValues } = inputs;
  const first = normalize(hidden, weights.attentionNorm, epsilon);
  const queryKeyValue = project(first.output, weights.queryKeyValue, [
    ['self_attn.q_proj', queries],
    ['self_attn.k_proj', keyWidth],
    ['self_attn.v_proj', keyWidth],
  ]);
  const perHead = toHeads(queryKeyValue.output, batch, heads + 2 * keyValueHeads);
  const rotated = rotateHeads(perHead, weights, config, config.layerUsesRotary[layer] === true ? factors : undefined);
  const { key, value } = rotated;
  const query = lastTokens(rotated.query, last);
  const residual = last === tokens ? hidden : asRows(lastTokens(asTokens(hidden, batch), last));
  // Cut again for the gradient, where it is needed: it is not kept.
  const bias = () => context.bias && lastTokens(context.bias, last);
  const keys = pastKeys.length === 0 ? key : tf.concat([...pastKeys, key], 2);
  const values = pastValues.length === 0 ? value : tf.concat([...pastValues, value], 2);
  const attention = attend({ query, key: keys, value: values }, bias());
  const mixed = fromHeads(attention.output);
  const output = project(mixed, weights.output, [['self_attn.o_proj', hiddenSize]]);
  const afterAttention = tf.add<tf.Tensor2D>(residual, output.output);
  const second = normalize(afterAttention, weights.feedForwardNorm, epsilon);
  const gateUp = project(second.output, weights.gateUp, [
    ['mlp.gate_proj', intermediateSize],
    ['mlp.up_proj', intermediateSize],
  ]);
  const gated = gatedActivation(gateUp.output, { differentiated });
  const down = project(gated.output, weights.down, [['mlp.down_proj', hiddenSize]]);
  const outputs = { hidden: tf.add<tf.Tensor2D>(afterAttention, down.output), key, value, keys, values };

  // What attention made, too, where its weights are no more than half of the gates; elsewhere it is made again.
  const { weights: weighed } = attention;
  const attended =
    weighed !== undefined && heads * keys.shape[2] <= intermediateSize ? [attention.output, weighed] : [];
  const saved = [first.inverse, query, keys, values, afterAttention, second.inverse].concat(
    gated.saved,
    attended,
    rotated.saved,
    ...[queryKeyValue, output, gateUp, down].map((projection) => projection.saved),
  );

  const pullback = (gradients: LayerOutputGradients, collect: CollectGradient): LayerInputs => {
    const dHidden = gradients.hidden ?? tf.zeros<tf.Rank.R2>([batch * last, hiddenSize]);
    const normBack = (dOutput: tf.Tensor2D, x: tf.Tensor2D, inverse: tf.Tensor, weight: tf.Tensor1D) => {
      if (isTrainable(weight)) collect(weight, normalizeWeightGradient(dOutput, x, inverse));
      return normalizeGradient(dOutput, x, inverse, weight);
    };
    const dGates = gatedActivationGradient(down.pullback(dHidden, collect), gated.saved);
    const dSecond = gateUp.pullback(dGates, collect);
    const dAfter = tf.add<tf.Tensor2D>(
      dHidden,
      normBack(dSecond, afterAttention, second.inverse, weights.feedForwardNorm),
    );
    const dMixed = output.pullback(dAfter, collect);
    const dAttention = attentionGradient(
      toHeads(dMixed, batch, heads),
      { query, key: keys, value: values },
      bias(),
      attention,
    );
    const [dPastKeys, dKey] = splitColumns(dAttention.key, pastKeys, gradients.key);
    const [dPastValues, dValue] = splitColumns(dAttention.value, pastValues, gradients.value);
    const dQuery = behindZeros(dAttention.query, tokens);
    const dPerHead = rotated.pullback({ query: dQuery, key: dKey, value: dValue }, collect);
    const dFirst = queryKeyValue.pullback(fromHeads(dPerHead), collect);
    const dResidual = last === tokens ? dAfter : asRows(behindZeros(asTokens(dAfter, batch), tokens));
    const dInput = tf.add<tf.Tensor2D>(dResidual, normBack(dFirst, hidden, first.inverse, weights.attentionNorm));
    return { hidden: dInput, pastKeys: dPastKeys, pastValues: dPastValues };
  };
  return { outputs, saved, pullback };
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
