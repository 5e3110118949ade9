// Between rows of tokens and heads, and the last tokens of each row.
import * as tf from '@tensorflow/tfjs';

/** `[batch * tokens, heads * size] -> [batch, heads, tokens, size]`; a single token needs no copy. */
export function toHeads(x: tf.Tensor2D, batch: number, heads: number): tf.Tensor4D {
  const [rows, width] = x.shape;
  const [tokens, size] = [rows / batch, width / heads];
  if (tokens === 1) return tf.reshape(x, [batch, heads, 1, size]);
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]);
}

/** The reverse of {@link toHeads}. */
export function fromHeads(x: tf.Tensor4D): tf.Tensor2D {
  const [batch, heads, tokens, size] = x.shape;
  return tf.reshape(tokens === 1 ? x : tf.transpose(x, [0, 2, 1, 3]), [batch * tokens, heads * size]);
}

/** `[batch * tokens, hidden] -> [batch, 1, tokens, hidden]` */
export function asTokens(x: tf.Tensor2D, batch: number): tf.Tensor4D {
  return tf.reshape(x, [batch, 1, x.shape[0] / batch, x.shape[1]]);
}

/** The reverse of {@link asTokens}. */
export function asRows(x: tf.Tensor4D): tf.Tensor2D {
  return tf.reshape(x, [x.shape[0] * x.shape[2], x.shape[3]]);
}

/** Of `[..., tokens, size]`. */
export function lastTokens(x: tf.Tensor4D, count: number): tf.Tensor4D {
  const [batch, heads, tokens, size] = x.shape;
  if (count === tokens) return x;
  return tf.slice(x, [0, 0, tokens - count, 0], [batch, heads, count, size]);
}

/** Gradient of {@link lastTokens}: zeros for the others. */
export function behindZeros(x: tf.Tensor4D, tokens: number): tf.Tensor4D {
  const missing = tokens - x.shape[2];
  if (missing === 0) return x;
  return tf.pad(x, [[0, 0], [0, 0], [missing, 0], [0, 0]]); // prettier-ignore
}
