// Sum over leading axes for the wasm backend, which otherwise transposes first: gradients of everything broadcast.
import * as tf from '@tensorflow/tfjs';
import { batchMatMul } from './batch-mat-mul.js';
import type { WasmEngine } from './wasm-engine.js';
import { float32View } from './wasm-engine.js';

/** Whether `axes` are exactly the first ones of `rank`, but not all. */
export function areLeading(axes: readonly number[], rank: number): boolean {
  const sorted = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  return sorted.length > 0 && sorted.length < rank && sorted.every((axis, index) => axis === index);
}

/** Sums float32 `x [rows..., columns...]` over its first `count` axes: a row of ones times `x`, in plain loops. */
export function sumLeading(
  engine: WasmEngine,
  x: tf.TensorInfo,
  { count, keepDims }: { count: number; keepDims: boolean },
): tf.TensorInfo {
  const kept = x.shape.slice(count);
  const rows = tf.util.sizeFromShape(x.shape.slice(0, count));
  const matrix = { ...x, shape: [rows, tf.util.sizeFromShape(kept)] };
  const ones = engine.makeOutput([1, rows], 'float32');
  float32View(engine, ones).fill(1);
  const out = batchMatMul(ones, matrix, { transposeA: false, transposeB: false, backend: engine, plan: 'loops' });
  engine.disposeData(ones.dataId);
  out.shape = [...(keepDims ? new Array<number>(count).fill(1) : []), ...kept];
  return out;
}
