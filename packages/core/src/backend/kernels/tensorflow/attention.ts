// Attention and its gradient on TensorFlow, all tokens at once; `ops/attention.ts` says what they compute.
import { kernelOf, type Operations } from './operations.js';
import type { TensorflowOutput } from './tensorflow-engine.js';

/** Stacks the queries of heads that share keys and values: `[batch, keyValueHeads, heads / keyValueHeads * tokens, size]`. */
function grouping(run: Operations, query: TensorflowOutput, key: TensorflowOutput) {
  const [batch, heads, tokens, size] = query.shape as [number, number, number, number];
  const shape = [batch, key.shape[1]!, (heads / key.shape[1]!) * tokens, size];
  return {
    grouped: (x: TensorflowOutput) => run.reshape(x, shape),
    apart: (x: TensorflowOutput) => run.reshape(x, query.shape),
    scale: run.scalar(1 / Math.sqrt(size)),
  };
}

/** `query, key, value, bias? -> output, weights` */
export const attention = kernelOf((run, inputs) => {
  const [query, key, value] = run.inputs(inputs, ['query', 'key', 'value']);
  const { grouped, apart, scale } = grouping(run, query, key);
  let scores = run.product(grouped(run.multiply(query, scale)), key, { transposeB: true });
  if (inputs['bias'] !== undefined) {
    const [bias] = run.inputs(inputs, ['bias']);
    const [batch, heads, tokens] = query.shape as [number, number, number, number];
    const perHead = run.reshape(scores, [batch, heads, tokens, key.shape[2]!]);
    scores = run.reshape(run.add(perHead, bias), scores.shape);
  }
  const weights = run.softmax(scores);
  return [apart(run.product(weights, value)), weights];
});

/** `dOutput, output, query, key, value, weights -> dQuery, dKey, dValue` */
export const attentionGradient = kernelOf((run, inputs) => {
  const names = ['dOutput', 'output', 'query', 'key', 'value', 'weights'] as const;
  const [dOutput, output, query, key, value, weights] = run.inputs(inputs, names);
  const { grouped, apart, scale } = grouping(run, query, key);
  const dOut = grouped(dOutput);
  const mean = run.sum(run.multiply(dOut, grouped(output)));
  const dScores = run.multiply(weights, run.subtract(run.product(dOut, value, { transposeB: true }), mean));
  return [
    apart(run.multiply(run.product(dScores, key), scale)),
    run.multiply(run.product(dScores, grouped(query), { transposeA: true }), scale),
    run.product(weights, dOut, { transposeA: true }),
  ];
});
