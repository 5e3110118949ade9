// UnsortedSegmentSum for the wasm backend, which has none: the gradient of gather needs it.
import * as tf from '@tensorflow/tfjs';
import type { WasmEngine } from './wasm-engine.js';
import { float32View, int32View } from './wasm-engine.js';

/**
 * Adds the rows of `x [rows, ...]` that have the same segment: `[segments, ...]`. Rows with a segment outside
 * `0 … segments - 1` are left out, as TensorFlow does.
 */
export function unsortedSegmentSum(
  engine: WasmEngine,
  x: tf.TensorInfo,
  segmentIds: tf.TensorInfo,
  segments: number,
): tf.TensorInfo {
  const width = tf.util.sizeFromShape(x.shape.slice(1));
  const out = engine.makeOutput([segments, ...x.shape.slice(1)], x.dtype);
  const view = x.dtype === 'float32' ? float32View : int32View;
  const sums = view(engine, out).fill(0);
  const values = view(engine, x);
  for (const [row, segment] of int32View(engine, segmentIds).entries()) {
    if (segment < 0 || segment >= segments) continue;
    const to = segment * width;
    const from = row * width;
    for (let column = 0; column < width; column++) sums[to + column]! += values[from + column]!;
  }
  return out;
}
