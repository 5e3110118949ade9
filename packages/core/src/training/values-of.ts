// Values of tensors, read in the one way that every backend has.
import * as tf from '@tensorflow/tfjs';

/**
 * Values of what `make` returns, by `await tensor.data()`: a GPU has no other way. `make` runs at once and inside a
 * `tf.tidy`; every tensor that it makes is freed, also when it throws or the read is rejected.
 */
export async function valuesOf(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(() => make().clone());
  try {
    return new Float32Array(await tensor.data());
  } finally {
    tensor.dispose();
  }
}

/**
 * The value of a loss whose gradients are computed already. Frees the loss and, where it cannot be read, the gradients:
 * nobody would get hold of them then.
 */
export async function readLoss(loss: tf.Scalar, gradients: ReadonlyMap<tf.Variable, tf.Tensor>): Promise<number> {
  try {
    const [value] = await loss.data();
    return value!;
  } catch (error) {
    tf.dispose([...gradients.values()]);
    throw error;
  } finally {
    loss.dispose();
  }
}
