// Layer normalisation (Ba et al. 2016), by plain operations: it is used on a few query latents only.
import * as tf from '@tensorflow/tfjs';

/** `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last axis; `x [rows, size]`. */
export function layerNorm(x: tf.Tensor2D, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-5): tf.Tensor2D {
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normal, weight), bias);
  });
}
