// Attention and its gradient on TensorFlow, all tokens at once; `ops/attention.ts` says what they compute.
import type * as tf from '@tensorflow/tfjs';
import { kernelOf, type Operations } from './operations.js';
import type { TensorflowOutput } from './tensorflow-engine.js';

/** Of each group of query heads that share keys and values: scaled queries, keys, values, and the weights. */
function weigh(run: Operations, inputs: tf.NamedTensorInfoMap) {
  const [query, key, value] = run.inputs(inputs, ['query', 'key', 'value']);
  const [batch, heads, tokens, size] = query.shape as [number, number, number, number];
  const [, keyValueHeads, columns] = key.shape as [number, number, number, number];
  const groups = batch * keyValueHeads;
  const rows = (heads / keyValueHeads) * tokens;
  const scale = run.scalar(1 / Math.sqrt(size));
  const queries = run.reshape(run.multiply(query, scale), [groups, rows, size]);
  const keys = run.reshape(key, [groups, columns, size]);
  const values = run.reshape(value, [groups, columns, size]);
  let scores = run.product(queries, keys, { transposeB: true });
  if (inputs['bias'] !== undefined) {
    const [bias] = run.inputs(inputs, ['bias']);
    const perHead = run.add(run.reshape(scores, [batch, heads, tokens, columns]), bias);
    scores = run.reshape(perHead, [groups, rows, columns]);
  }
  const grouped = (x: TensorflowOutput) => run.reshape(x, [groups, rows, size]);
  return { query, key, scale, queries, keys, values, grouped, weights: run.softmax(scores) };
}

/** `query, key, value, bias? -> output` */
export const attention = kernelOf((run, inputs) => {
  const { query, values, weights } = weigh(run, inputs);
  return [run.reshape(run.product(weights, values), query.shape)];
});

/** `dOutput, query, key, value, bias? -> dQuery, dKey, dValue` */
export const attentionGradient = kernelOf((run, inputs) => {
  const { query, key, scale, queries, keys, values, grouped, weights } = weigh(run, inputs);
  const dOutput = grouped(run.inputs(inputs, ['dOutput'])[0]);
  const weighted = run.multiply(run.product(dOutput, values, { transposeB: true }), weights);
  const dScores = run.subtract(weighted, run.multiply(weights, run.sum(weighted)));
  return [
    run.reshape(run.multiply(run.product(dScores, keys), scale), query.shape),
    run.reshape(run.product(dScores, queries, { transposeA: true }), key.shape),
    run.reshape(run.product(weights, dOutput, { transposeA: true }), key.shape),
  ];
});
