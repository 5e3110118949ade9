// Gather for the wasm backend where whole rows are picked: one copy of memory for each row.
import * as tf from '@tensorflow/tfjs';
import type { WasmEngine } from './wasm-engine.js';
import { heapTensor, int32View } from './wasm-engine.js';

/** Below this many bytes a row, the backend's own kernel is as fast. */
export const shortestRow = 32;

/** Bytes of what one index picks along `axis`. */
export function rowBytes(x: tf.TensorInfo, axis: number): number {
  return tf.util.bytesPerElement(x.dtype) * tf.util.sizeFromShape(x.shape.slice(axis + 1));
}

/**
 * `x [before, size, after]` and int32 `indices` give `[before, indices, after]`. Throws for an index outside `size`.
 */
export function gatherRows(engine: WasmEngine, x: tf.TensorInfo, indices: tf.TensorInfo, axis: number): tf.TensorInfo {
  const size = x.shape[axis]!;
  const bytes = rowBytes(x, axis);
  const out = engine.makeOutput([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], x.dtype);
  const picked = int32View(engine, indices);
  for (const index of picked) {
    if (index >= 0 && index < size) continue;
    engine.disposeData(out.dataId);
    throw new Error(`gather: index ${index} is not in 0 … ${size - 1} (axis ${axis} of [${x.shape.join(', ')}])`);
  }
  const heap = engine.wasm.HEAPU8;
  const source = heapTensor(engine, x).memoryOffset;
  let target = heapTensor(engine, out).memoryOffset;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  for (let block = 0; block < outer; block++) {
    const start = source + block * size * bytes;
    for (const index of picked) {
      heap.copyWithin(target, start + index * bytes, start + (index + 1) * bytes);
      target += bytes;
    }
  }
  return out;
}
