// Affine maps over the last axis; weights lie as [in, out], the layout that every backend multiplies fastest.
import * as tf from '@tensorflow/tfjs';

/** A weight [in, out] with an optional bias [out]. Trainable when its tensors are variables. */
export interface LinearWeights {
  weight: tf.Tensor2D;
  bias?: tf.Tensor1D;
}

/** `x [rows, in] -> [rows, out]`. */
export function linear(x: tf.Tensor2D, { weight, bias }: LinearWeights): tf.Tensor2D {
  if (bias === undefined) return tf.matMul(x, weight);
  return tf.tidy(() => tf.add(tf.matMul(x, weight), bias));
}
