// Sum over leading axes for the wasm backend, which otherwise transposes first: gradients of everything broadcast.
import * as tf from '@tensorflow/tfjs';
import { heapKernels } from './heap-kernels.js';
import type { WasmEngine } from './wasm-engine.js';
import { address } from './wasm-engine.js';

/** Whether `axes` are exactly the first ones of `rank`, but not all. */
export function areLeading(axes: readonly number[], rank: number): boolean {
  const sorted = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  return sorted.length > 0 && sorted.length < rank && sorted.every((axis, index) => axis === index);
}

/** Sums float32 `x [rows..., columns...]` over its first `count` axes. */
export function sumLeading(
  engine: WasmEngine,
  x: tf.TensorInfo,
  { count, keepDims }: { count: number; keepDims: boolean },
): tf.TensorInfo {
  const kept = x.shape.slice(count);
  const out = engine.makeOutput([...(keepDims ? new Array<number>(count).fill(1) : []), ...kept], 'float32');
  const rows = tf.util.sizeFromShape(x.shape.slice(0, count));
  const [from, to] = address(engine, x, out);
  heapKernels(engine).sumRows(from, to, rows, tf.util.sizeFromShape(kept));
  return out;
}
