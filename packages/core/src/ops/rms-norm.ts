// Root-mean-square normalisation with its gradient (Zhang and Sennrich 2019).
import * as tf from '@tensorflow/tfjs';
import { isTrainable } from './trainable.js';

/**
 * `x * rsqrt(mean(x^2) + epsilon) * weight` over the last axis; `x [..., size]`, `weight [size]`.
 * Saves only `x` and the reciprocal root, and computes the weight's gradient only when the weight is trainable.
 */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  const forward = (x: tf.Tensor, w: tf.Tensor, save: tf.GradSaveFunc) => {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
    save([x, inverse]);
    return tf.mul(tf.mul(x, inverse), w);
  };
  const inputGradient = (dy: tf.Tensor, x: tf.Tensor, inverse: tf.Tensor, w: tf.Tensor) => {
    const dNormal = tf.mul(dy, w);
    const projection = tf.mul(tf.mean(tf.mul(dNormal, x), -1, true), tf.square(inverse));
    return tf.mul(inverse, tf.sub(dNormal, tf.mul(x, projection)));
  };
  if (!isTrainable(weight)) {
    return tf.customGrad((x, save) => ({
      value: forward(x as tf.Tensor, weight, save as tf.GradSaveFunc),
      gradFunc: (dy, saved) => inputGradient(dy, saved[0]!, saved[1]!, weight),
    }))(x);
  }
  return tf.customGrad((x, w, save) => ({
    value: forward(x as tf.Tensor, w as tf.Tensor, save as tf.GradSaveFunc),
    gradFunc: (dy, saved) => {
      const [x, inverse] = saved as [tf.Tensor, tf.Tensor];
      const leading = x.shape.map((_, axis) => axis).slice(0, -1);
      return [inputGradient(dy, x, inverse, weight), tf.sum(tf.mul(dy, tf.mul(x, inverse)), leading)];
    },
  }))(x, weight);
}
