// Log-probabilities of chosen tokens and their gradients; the head is applied in chunks, so that no [tokens, vocabulary] tensor exists whole.
import * as tf from '@tensorflow/tfjs';

export interface TokenLogProbabilityOptions {
  /** Divides the logits. @default 1 */
  temperature?: number;
  /** Whether to compute the gradients too. @default false */
  withGradients?: boolean;
  /** Rows that go through the head at once. @default 128 */
  chunkRows?: number;
}

/** All tensors are owned by the caller. */
export interface TokenLogProbabilities {
  /** `[rows]`: log p(token). */
  logProbabilities: tf.Tensor1D;
  /** `[rows]`: entropy of the distribution that the token was drawn from, in nats. */
  entropies: tf.Tensor1D;
  /**
   * `[rows, hidden]`: gradient of each row's log-probability with respect to that row. A loss that is a function of the
   * log-probabilities has these rows, times its derivatives, as its gradient: no second pass through the head is needed.
   */
  hiddenGradients: tf.Tensor2D | undefined;
}

/**
 * @param hidden - `[rows, hidden]`, the states that predict the tokens.
 * @param ids - the tokens, one for each row.
 * @param head - `[hidden, vocabulary]`, frozen.
 */
export function tokenLogProbabilities(
  hidden: tf.Tensor2D,
  ids: readonly number[],
  head: tf.Tensor2D,
  { temperature = 1, withGradients = false, chunkRows = 128 }: TokenLogProbabilityOptions = {},
): TokenLogProbabilities {
  const [logProbabilities, entropies, hiddenGradients] = tf.tidy(() => {
    const [rows, size] = hidden.shape;
    const chunks: tf.Tensor[][] = [];
    for (let start = 0; start < rows; start += chunkRows) {
      const count = Math.min(chunkRows, rows - start);
      const x = tf.slice(hidden, [start, 0], [count, size]);
      const chunk = ids.slice(start, start + count);
      chunks.push(tf.tidy(() => chunkLogProbabilities(x, chunk, head, temperature, withGradients)));
    }
    return chunks[0]!.map((first, part) => (chunks.length === 1 ? first : tf.concat(chunks.map((c) => c[part]!), 0))); // prettier-ignore
  }) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor2D | undefined];
  return { logProbabilities, entropies, hiddenGradients };
}

function chunkLogProbabilities(
  x: tf.Tensor2D,
  ids: readonly number[],
  head: tf.Tensor2D,
  temperature: number,
  withGradients: boolean,
): tf.Tensor[] {
  const product = tf.matMul(x, head);
  const logits = temperature === 1 ? product : tf.div(product, temperature);
  const chosen = tf.oneHot(tf.tensor1d([...ids], 'int32'), head.shape[1]) as tf.Tensor2D;
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const exponentials = tf.exp(shifted);
  const total = tf.sum(exponentials, 1, true);
  const probabilities = tf.div(exponentials, total);
  const logTotal = tf.reshape(tf.log(total), [-1]);
  const parts: tf.Tensor[] = [
    tf.sub(tf.sum(tf.mul(shifted, chosen), 1), logTotal),
    tf.sub(logTotal, tf.sum(tf.mul(shifted, probabilities), 1)),
  ];
  if (withGradients) {
    parts.push(tf.div(tf.matMul(tf.sub(chosen, probabilities), head, false, true), temperature));
  }
  return parts;
}
