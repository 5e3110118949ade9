// Values of tensors, without leaving the tensors behind.
import * as tf from '@tensorflow/tfjs';

/** Values of what `make` returns; all its tensors are freed. */
export async function valuesOf(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  try {
    return Float32Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}
