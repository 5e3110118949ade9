// Root-mean-square normalisation with its gradient (Zhang and Sennrich 2019).
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';
import { isTrainable } from './trainable.js';

/** `x * inverse * weight` with `inverse = rsqrt(mean(x^2) + epsilon)`, which the gradient needs; `x [..., size]`. */
export function normalize<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor,
  epsilon: number,
): { output: T; inverse: tf.Tensor } {
  const fused = runFused('MemgenNormalize', { x, weight }, { epsilon });
  if (fused !== undefined) return { output: fused[0] as T, inverse: fused[1]! };
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
  return { output: tf.mul(tf.mul(x, inverse), weight), inverse };
}

/** Gradient with respect to `x`. */
export function normalizeGradient<T extends tf.Tensor>(dOutput: T, x: T, inverse: tf.Tensor, weight: tf.Tensor): T {
  const fused = runFused('MemgenNormalizeGradient', { dOutput, x, inverse, weight });
  if (fused !== undefined) return fused[0] as T;
  const dNormal = tf.mul(dOutput, weight);
  const projection = tf.mul(tf.mean(tf.mul(dNormal, x), -1, true), tf.square(inverse));
  return tf.mul(inverse, tf.sub(dNormal, tf.mul(x, projection)));
}

/** Gradient with respect to the weight `[size]`. */
export function normalizeWeightGradient(dOutput: tf.Tensor, x: tf.Tensor, inverse: tf.Tensor): tf.Tensor1D {
  const fused = runFused('MemgenNormalizeWeightGradient', { dOutput, x, inverse });
  if (fused !== undefined) return fused[0] as tf.Tensor1D;
  const leading = x.shape.map((_, axis) => axis).slice(0, -1);
  return tf.sum(tf.mul(dOutput, tf.mul(x, inverse)), leading);
}

/**
 * The same for tfjs's own gradient tape. Saves only `x` and the reciprocal root, and computes the weight's gradient only
 * when the weight is trainable.
 */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  const forward = (x: tf.Tensor, w: tf.Tensor, save: tf.GradSaveFunc) => {
    const { output, inverse } = normalize(x, w, epsilon);
    save([x, inverse]);
    return output;
  };
  if (!isTrainable(weight)) {
    return tf.customGrad((x, save) => ({
      value: forward(x as tf.Tensor, weight, save as tf.GradSaveFunc),
      gradFunc: (dy, saved) => normalizeGradient(dy, saved[0]!, saved[1]!, weight),
    }))(x);
  }
  return tf.customGrad((x, w, save) => ({
    value: forward(x as tf.Tensor, w as tf.Tensor, save as tf.GradSaveFunc),
    gradFunc: (dy, saved) => {
      const [x, inverse] = saved as [tf.Tensor, tf.Tensor];
      return [normalizeGradient(dy, x, inverse, weight), normalizeWeightGradient(dy, x, inverse)];
    },
  }))(x, weight);
}
