// Affine maps over the last axis; weights lie as [in, out], the layout that every backend multiplies fastest.
import * as tf from '@tensorflow/tfjs';
import { bfloat16MatMul } from './bfloat16-mat-mul.js';

/** A weight [in, out] with an optional bias [out]. Trainable when its tensors are variables. */
export interface LinearWeights {
  weight: tf.Tensor2D;
  bias?: tf.Tensor1D;
  /** A copy of a frozen weight that products take instead of it. */
  bfloat16?: tf.Tensor2D;
}

/** `x [rows, in] -> [rows, out]`. */
export function linear(x: tf.Tensor2D, weights: LinearWeights): tf.Tensor2D {
  const { bias } = weights;
  if (bias === undefined) return multiplyByWeight(x, weights);
  return tf.tidy(() => tf.add(multiplyByWeight(x, weights), bias));
}

/** `x [rows, in]` by the weight; or, where `transposed`, `[rows, out]` by the weight turned over. */
export function multiplyByWeight(x: tf.Tensor2D, weights: LinearWeights, transposed = false): tf.Tensor2D {
  const { weight, bfloat16 } = weights;
  if (bfloat16 !== undefined) return bfloat16MatMul(x, bfloat16, transposed);
  return tf.matMul(x, weight, false, transposed);
}
