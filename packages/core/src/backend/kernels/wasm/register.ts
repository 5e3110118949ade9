// Replaces kernels of the tfjs wasm backend that transformers suffer from, and adds missing ones.
import * as tf from '@tensorflow/tfjs';
import { fixCumulativeAxis } from '../cumulative-axis.js';
import { inputOf, numberOf, numbersOf, switchOf } from '../kernel-arguments.js';
import { replaceKernel } from '../replace-kernel.js';
import { attention, attentionGradient } from './attention.js';
import { batchMatMul } from './batch-mat-mul.js';
import { concat, hasRuns, permute, slice, split } from './copy-runs.js';
import { crossEntropy } from './cross-entropy.js';
import { fusedMatMul } from './fused-mat-mul.js';
import { gatedActivation, gatedActivationGradient } from './gated-activation.js';
import { gatherRows, rowBytes, shortestRow } from './gather-rows.js';
import { normalize, normalizeGradient, normalizeWeightGradient } from './normalize.js';
import { rotate } from './rotate.js';
import { areLeading, sumLeading } from './sum-leading.js';
import { tile } from './tile.js';
import { unsortedSegmentSum } from './unsorted-segment-sum.js';
import { asWasmEngine } from './wasm-engine.js';

const backendName = 'wasm';

/** Registers our kernels for the wasm backend; call after it was imported. Doing so again changes nothing. */
export function registerWasmKernels(): void {
  replaceKernel(backendName, 'BatchMatMul', () => ({ inputs, backend, attrs }) => {
    const flags = { transposeA: switchOf(attrs, 'transposeA'), transposeB: switchOf(attrs, 'transposeB') };
    return batchMatMul(inputOf(inputs, 'a'), inputOf(inputs, 'b'), { ...flags, backend });
  });
  replaceKernel(backendName, '_FusedMatMul', () => fusedMatMul);
  replaceKernel(backendName, 'Tile', (original) => (parameters) => {
    const x = inputOf(parameters.inputs, 'x');
    if (x.dtype === 'string') return original!(parameters);
    return tile(asWasmEngine(parameters.backend), x, numbersOf(parameters.attrs, 'reps'));
  });
  replaceKernel(backendName, 'GatherV2', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const [x, indices] = [inputOf(inputs, 'x'), inputOf(inputs, 'indices')];
    const axis = positive(numberOf(attrs, 'axis'), x.shape.length);
    const simple = numberOf(attrs, 'batchDims') === 0 && x.dtype !== 'string' && indices.dtype === 'int32';
    if (!simple || rowBytes(x, axis) < shortestRow) return original!(parameters);
    return gatherRows(asWasmEngine(backend), x, indices, axis);
  });
  replaceKernel(backendName, 'Sum', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const x = inputOf(inputs, 'x');
    const axes = numbersOf(attrs, 'axis');
    if (x.dtype !== 'float32' || !areLeading(axes, x.shape.length)) return original!(parameters);
    return sumLeading(asWasmEngine(backend), x, { count: axes.length, keepDims: switchOf(attrs, 'keepDims') });
  });
  fixCumulativeAxis(backendName);
  replaceKernel(backendName, 'UnsortedSegmentSum', () => ({ inputs, backend, attrs }) => {
    const [x, segmentIds] = [inputOf(inputs, 'x'), inputOf(inputs, 'segmentIds')];
    return unsortedSegmentSum(asWasmEngine(backend), x, segmentIds, numberOf(attrs, 'numSegments'));
  });
  registerCopies();
  for (const [kernelName, kernelFunc] of Object.entries(ours)) replaceKernel(backendName, kernelName, () => kernelFunc);
}

/** Kernels under names of our own; `ops/` runs them where they exist. */
const ours: Record<string, tf.KernelFunc> = {
  MemgenNormalize: normalize,
  MemgenNormalizeGradient: normalizeGradient,
  MemgenNormalizeWeightGradient: normalizeWeightGradient,
  MemgenRotate: rotate,
  MemgenGatedActivation: gatedActivation,
  MemgenGatedActivationGradient: gatedActivationGradient,
  MemgenAttention: attention,
  MemgenAttentionGradient: attentionGradient,
  MemgenCrossEntropy: crossEntropy,
};

function registerCopies(): void {
  replaceKernel(backendName, 'Slice', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const x = inputOf(inputs, 'x');
    if (!hasRuns(x)) return original!(parameters);
    const given = [numbersOf(attrs, 'begin'), numbersOf(attrs, 'size')] as const;
    const [begin, size] = tf.slice_util.parseSliceParams(x, ...given) as [number[], number[]];
    return slice(asWasmEngine(backend), x, begin, size);
  });
  replaceKernel(backendName, 'SplitV', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const x = inputOf(inputs, 'x');
    if (!hasRuns(x)) return original!(parameters);
    const axis = positive(numberOf(attrs, 'axis'), x.shape.length);
    const asked = attrs?.['numOrSizeSplits'];
    const parts = typeof asked === 'number' ? asked : numbersOf(attrs, 'numOrSizeSplits');
    return split(asWasmEngine(backend), x, tf.backend_util.prepareSplitSize(x, parts, axis), axis);
  });
  replaceKernel(backendName, 'Concat', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const given = Object.values(inputs).filter((part) => part !== undefined);
    const parts = given.filter(({ shape }) => tf.util.sizeFromShape(shape) > 0);
    if (parts.length < 2 || !parts.every(hasRuns)) return original!(parameters);
    return concat(asWasmEngine(backend), parts, positive(numberOf(attrs, 'axis'), parts[0]!.shape.length));
  });
  replaceKernel(backendName, 'Transpose', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const x = inputOf(inputs, 'x');
    const order = numbersOf(attrs, 'perm');
    const last = order.length - 1;
    const identical = order.every((axis, i) => axis === i);
    if (!hasRuns(x) || identical || order[last] !== last) return original!(parameters);
    return permute(asWasmEngine(backend), x, order);
  });
}

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
