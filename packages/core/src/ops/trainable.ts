// The rule that tells trainable weights from frozen ones.
import * as tf from '@tensorflow/tfjs';

/** Trainable weights are variables; frozen ones are plain tensors, for which no gradient is ever computed. */
export function isTrainable(tensor: tf.Tensor): tensor is tf.Variable {
  return tensor instanceof tf.Variable && tensor.trainable;
}
