// Scaled dot-product attention with grouped key-value heads, with its gradient.
import * as tf from '@tensorflow/tfjs';

/**
 * Attention of `query [batch, heads, tokens, size]` over `key, value [batch, keyValueHeads, columns, size]`; `heads` is a
 * multiple of `keyValueHeads`. `bias [batch or 1, 1, tokens, columns]` is added to the scores (0 or very negative).
 * Key-value heads are never repeated in memory: the queries of a group are stacked along the token axis instead.
 * @returns `[batch, heads, tokens, size]`
 */
export function attention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  bias: tf.Tensor4D | undefined,
): tf.Tensor4D {
  const [batch, heads, tokens, size] = query.shape;
  const [, keyValueHeads, columns] = key.shape;
  const groups = batch * keyValueHeads;
  const rows = (heads / keyValueHeads) * tokens;
  const scale = 1 / Math.sqrt(size);

  return tf.customGrad((q4, k4, v4, save) => {
    const q = tf.reshape(tf.mul(q4 as tf.Tensor, scale), [groups, rows, size]);
    const k = tf.reshape(k4 as tf.Tensor, [groups, columns, size]);
    const v = tf.reshape(v4 as tf.Tensor, [groups, columns, size]);
    let scores = tf.matMul(q, k, false, true);
    if (bias !== undefined) {
      const perHead = tf.add(tf.reshape(scores, [batch, heads, tokens, columns]), bias);
      scores = tf.reshape(perHead, [groups, rows, columns]);
    }
    const weights = tf.softmax(scores);
    (save as tf.GradSaveFunc)([q, k, v, weights]);
    return {
      value: tf.reshape(tf.matMul(weights, v), [batch, heads, tokens, size]),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [q, k, v, weights] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const dOut = tf.reshape(dy, [groups, rows, size]);
        const dWeights = tf.matMul(dOut, v, false, true);
        const weighted = tf.mul(dWeights, weights);
        const dScores = tf.sub(weighted, tf.mul(weights, tf.sum(weighted, -1, true)));
        const dKey = tf.matMul(dScores, q, true, false);
        const dQuery = tf.mul(tf.matMul(dScores, k), scale);
        const dValue = tf.matMul(weights, dOut, true, false);
        return [
          tf.reshape(dQuery, [batch, heads, tokens, size]),
          tf.reshape(dKey, [batch, keyValueHeads, columns, size]),
          tf.reshape(dValue, [batch, keyValueHeads, columns, size]),
        ];
      },
    };
  })(query, key, value) as tf.Tensor4D;
}
