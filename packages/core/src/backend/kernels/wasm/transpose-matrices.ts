// Transposes the last two dimensions of a tensor on the wasm backend.
import * as tf from '@tensorflow/tfjs';
import type { WasmEngine } from './wasm-engine.js';

/**
 * `[..., rows, columns]` to `[matrices, columns, rows]`. The result is the caller's to dispose; a matrix of one row or
 * one column shares its data with `tensor`.
 */
export function transposeMatrices(
  engine: WasmEngine,
  tensor: tf.TensorInfo,
  rows: number,
  columns: number,
): tf.TensorInfo {
  const matrices = tf.util.sizeFromShape(tensor.shape) / (rows * columns);
  const x = { dataId: tensor.dataId, shape: [matrices, rows, columns], dtype: tensor.dtype };
  const out = tf
    .getKernel('Transpose', 'wasm')
    .kernelFunc({ inputs: { x }, backend: engine, attrs: { perm: [0, 2, 1] } });
  return Array.isArray(out) ? out[0]! : out;
}
