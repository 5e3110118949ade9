// Affine maps over the last axis; weights lie as [in, out], the layout that every backend multiplies fastest.
import * as tf from '@tensorflow/tfjs';
import { bfloat16MatMul } from './bfloat16-mat-mul.js';
import { isTrainable } from './trainable.js';

/** A weight [in, out] with an optional bias [out]. Trainable when its tensors are variables. */
export interface LinearWeights {
  weight: tf.Tensor2D;
  bias?: tf.Tensor1D;
  /** A copy of a frozen weight that products take instead of it. */
  bfloat16?: tf.Tensor2D;
  /** A copy of a frozen weight, turned over, that gradients take instead of it; made when first needed. */
  transposed?: tf.Tensor2D;
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
  if (!transposed) return tf.matMul(x, weight);
  const wanted = isReadSlowlyTransposed(weight.shape[1]) && !isTrainable(weight) && tf.getBackend() === 'tensorflow';
  if (wanted) weights.transposed ??= tf.keep(tf.transpose(weight));
  if (weights.transposed !== undefined) return tf.matMul(x, weights.transposed);
  return tf.matMul(x, weight, false, true);
}

/**
 * Whether rows of so many columns lie a multiple of 4 KiB apart in the processor's memory: what a transposed product reads
 * together then shares a few sets of the cache. With 1,536 or 3,072 columns TensorFlow reaches 108 to 170 GFLOP/s there,
 * with 16 columns more 170 to 198, with the weight turned over 205 to 221.
 */
export function isReadSlowlyTransposed(columns: number): boolean {
  return columns % 1024 === 0;
}
