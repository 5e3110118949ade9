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
  const wanted = isReadSlowlyTransposed(...weight.shape) && !isTrainable(weight) && tf.getBackend() === 'tensorflow';
  if (wanted) weights.transposed ??= tf.keep(tf.transpose(weight));
  if (weights.transposed !== undefined) return tf.matMul(x, weights.transposed);
  return tf.matMul(x, weight, false, true);
}

/** Bytes of a matrix that is small for {@link isReadSlowlyTransposed}. */
const smallMatrix = 4 * 2 ** 20;

/**
 * Whether TensorFlow multiplies by the matrix turned over so slowly that a copy is worth its memory. Rows that lie a
 * multiple of 4 KiB apart share a few sets of the cache where they are read together: with 1,536 or 3,072 columns products
 * reach 108 to 170 GFLOP/s, with 16 columns more 170 to 198, with the matrix turned over 205 to 221. Of small matrices,
 * which are packed anew for each product, the products of some hundred rows gain 10 to 35 %, and the copies cost little.
 */
export function isReadSlowlyTransposed(rows: number, columns: number): boolean {
  return columns % 1024 === 0 || 4 * rows * columns <= smallMatrix;
}
