// Picks rows of a matrix, differentiably on every backend.
import * as tf from '@tensorflow/tfjs';

/**
 * `x [rows, size]`, `indices` distinct -> `[indices.length, size]`. tfjs's own gradient of gather needs a kernel that the
 * wasm backend lacks; with distinct indices a scatter does the same.
 */
export function gatherRows(x: tf.Tensor2D, indices: readonly number[]): tf.Tensor2D {
  const shape = x.shape;
  return tf.customGrad((x) => ({
    value: tf.gather(x as tf.Tensor2D, tf.tensor1d([...indices], 'int32')),
    gradFunc: (dy) => tf.scatterND(tf.tensor2d([...indices], [indices.length, 1], 'int32'), dy as tf.Tensor2D, shape),
  }))(x) as tf.Tensor2D;
}
