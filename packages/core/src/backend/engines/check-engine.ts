// The smallest proof that a backend computes: one matrix product with a known result.
import * as tf from '@tensorflow/tfjs';

/** Multiplies two small matrices on the current backend. Throws if the result is wrong. */
export async function checkEngine(): Promise<void> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])));
  const [value] = await product.data();
  product.dispose();
  if (value !== 11) throw new Error(`[1 2] x [3 4] gave ${String(value)} instead of 11`);
}
