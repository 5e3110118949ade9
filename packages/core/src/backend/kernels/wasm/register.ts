// Replaces kernels of the tfjs wasm backend that transformers suffer from, and adds missing ones.
import { fixCumulativeAxis } from '../cumulative-axis.js';
import { inputOf, numberOf, numbersOf, switchOf } from '../kernel-arguments.js';
import { replaceKernel } from '../replace-kernel.js';
import { batchMatMul } from './batch-mat-mul.js';
import { fusedMatMul } from './fused-mat-mul.js';
import { gatherRows, rowBytes, shortestRow } from './gather-rows.js';
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
}

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
