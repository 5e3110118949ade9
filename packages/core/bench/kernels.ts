// Measures our kernels on the wasm backend against the compositions of tfjs's operations that they replace, in turns in one
// process: `node --import tsx --conditions=@memgen/source packages/core/bench/kernels.ts [repetitions]`.
import { Random } from '@memgen/common';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import { startBackend } from '../src/backend/index.js';
import { attend, attentionGradient } from '../src/ops/attention.js';
import { normalize, normalizeGradient } from '../src/ops/rms-norm.js';
import { halfTurnMatrix, rotate } from '../src/ops/rotary.js';
import { gatedActivation, gatedActivationGradient } from '../src/ops/swiglu.js';
import { tokenLossWithGradients } from '../src/ops/token-loss.js';

const repetitions = Number(process.argv[2] ?? 15);
const replaced = ['BatchMatMul', 'Slice', 'SplitV', 'Concat', 'Transpose', 'Sum'];
const originals = new Map(replaced.map((name) => [name, tf.getKernel(name, 'wasm')]));
await startBackend({ backend: 'wasm' });
const ours = new Map(tf.getKernelsForBackend('wasm').map((kernel) => [kernel.kernelName, kernel]));
const own = [...ours.keys()].filter((name) => name.startsWith('Memgen'));

function setKernel(name: string, kernel: tf.KernelConfig | undefined): void {
  if (tf.getKernel(name, 'wasm') !== undefined) tf.unregisterKernel(name, 'wasm');
  if (kernel !== undefined) tf.registerKernel(kernel);
}

/** Compositions, on our products and copies (`plain: false`) or on those of tfjs. */
function useCompositions({ plain }: { plain: boolean }): void {
  for (const name of own) setKernel(name, undefined);
  if (plain) for (const [name, kernel] of originals) setKernel(name, kernel);
}

function useOurs(): void {
  for (const name of [...own, ...replaced]) setKernel(name, ours.get(name));
}

const random = Random.fromSeed(1);
function normals<R extends tf.Rank>(...shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal());
  return tf.tensor<R>(values, shape);
}

function causal(tokens: number): tf.Tensor4D {
  return tf.tidy(() => tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([1, 1, tokens, tokens]), -1, 0)), -1e9));
}

// The sizes are those of SmolLM2-135M at 256 tokens.
const [rows, hidden, intermediate, heads, keyValueHeads, size] = [256, 576, 1536, 9, 3, 64];
const x = normals<tf.Rank.R2>(rows, hidden);
const weight = normals<tf.Rank.R1>(hidden);
const { inverse } = normalize(x, weight, 1e-5);
const gateUp = normals<tf.Rank.R2>(rows, 2 * intermediate);
const gated = normals<tf.Rank.R2>(rows, intermediate);
const inputs = {
  query: normals<tf.Rank.R4>(1, heads, rows, size),
  key: normals<tf.Rank.R4>(1, keyValueHeads, rows, size),
  value: normals<tf.Rank.R4>(1, keyValueHeads, rows, size),
};
const dAttention = normals<tf.Rank.R4>(1, heads, rows, size);
const bias = causal(rows);
const [cos, sin] = [normals<tf.Rank.R4>(1, 1, rows, size), normals<tf.Rank.R4>(1, 1, rows, size)];
const halfTurn = halfTurnMatrix(size);
const up = normals<tf.Rank.R2>(hidden, 2 * intermediate);
const head = normals<tf.Rank.R2>(hidden, 8192);
const labels = Array.from({ length: rows }, (_, row) => row);
const attended = attend(inputs, bias);
const activation = gatedActivation(gateUp);

const work: Record<string, () => unknown> = {
  'product 256 x 576 x 3072': () => tf.matMul(x, up),
  'its gradient, right side transposed': () => tf.matMul(gateUp, up, false, true),
  'its weight gradient, left side transposed': () => tf.matMul(x, gateUp, true, false),
  'norm': () => normalize(x, weight, 1e-5),
  'norm, gradient': () => normalizeGradient(x, x, inverse, weight),
  'rotation': () => rotate(inputs.query, { cos, sin, halfTurn }),
  'gate': () => gatedActivation(gateUp),
  'gate, gradient': () => gatedActivationGradient(gated, activation.saved),
  'attention, causal': () => attend(inputs, bias),
  'attention, gradient': () => attentionGradient(dAttention, inputs, bias, attended),
  'loss of tokens, vocabulary 8192': () => tokenLossWithGradients(x, labels, head),
  'heads side by side': () => tf.transpose(tf.reshape(x, [1, rows, heads, size]), [0, 2, 1, 3]),
  'part of the heads': () => tf.slice(inputs.query, [0, 3, 0, 0], [1, 3, rows, size]),
  'halves of columns': () => tf.split(gateUp, 2, 1),
}; // prettier-ignore

function milliseconds(run: () => unknown): number {
  const start = performance.now();
  tf.tidy(() => {
    run();
  });
  return performance.now() - start;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
console.log(['milliseconds'.padEnd(44), 'tfjs', 'composed', 'ours', 'tfjs : ours', 'composed : ours'].join('\t'));
for (const [name, run] of Object.entries(work)) {
  const times = { tfjs: [] as number[], composed: [] as number[], ours: [] as number[] };
  for (let i = -1; i < repetitions; i++) {
    for (const variant of ['tfjs', 'composed', 'ours'] as const) {
      // Some of them take seconds there.
      if (variant === 'tfjs' && i >= 3) continue;
      useOurs();
      if (variant !== 'ours') useCompositions({ plain: variant === 'tfjs' });
      const taken = milliseconds(run);
      if (i >= 0) times[variant].push(taken);
    }
  }
  const [tfjs, composed, fused] = [median(times.tfjs), median(times.composed), median(times.ours)];
  const figures = [tfjs, composed, fused].map((value) => value.toFixed(2));
  console.log([name.padEnd(44), ...figures, (tfjs / fused).toFixed(1), (composed / fused).toFixed(1)].join('\t'));
}
