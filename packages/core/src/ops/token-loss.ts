// Cross entropy of labelled tokens, the head applied in chunks so that no [tokens, vocabulary] tensor ever exists whole.
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';
import { isTrainable } from './trainable.js';

export interface TokenLossOptions {
  /** Rows that go through the head at once. */
  chunkRows?: number;
}

/** Sum of the losses, and its gradients; all tensors are owned by the caller. */
export interface TokenLossResult {
  /** Scalar: sum over rows of -log p(label). */
  loss: tf.Scalar;
  /** `[rows, hidden]`: gradient of the sum with respect to the hidden states. */
  hiddenGradient: tf.Tensor2D;
  /** `[hidden, vocabulary]`, only for a trainable head. */
  headGradient: tf.Tensor2D | undefined;
}

/**
 * Loss and gradients in one pass: each chunk's logits are made, used and dropped.
 * @param hidden - `[rows, hidden]`, one row per labelled token.
 * @param labels - token ids, one per row.
 * @param head - `[hidden, vocabulary]`.
 */
export function tokenLossWithGradients(
  hidden: tf.Tensor2D,
  labels: readonly number[],
  head: tf.Tensor2D,
  { chunkRows = 256 }: TokenLossOptions = {},
): TokenLossResult {
  return tf.tidy(() => {
    const [rows, size] = hidden.shape;
    let loss = tf.scalar(0);
    let headGradient: tf.Tensor2D | undefined;
    const gradients: tf.Tensor2D[] = [];
    for (let start = 0; start < rows; start += chunkRows) {
      const count = Math.min(chunkRows, rows - start);
      const [chunkLoss, chunkGradient, chunkHead] = tf.tidy(() => {
        const x = tf.slice(hidden, [start, 0], [count, size]);
        const logits: tf.Tensor2D = tf.matMul(x, head);
        const target = tf.tensor1d(labels.slice(start, start + count), 'int32');
        const { loss, dLogits } = crossEntropy(logits, target);
        // As if the head were turned over, which is by far the larger of the two.
        const dHidden = tf.transpose(tf.matMul(head, dLogits, false, true));
        const parts: tf.Tensor[] = [loss, dHidden];
        if (isTrainable(head)) parts.push(tf.matMul(x, dLogits, true, false));
        return parts;
      }) as [tf.Scalar, tf.Tensor2D, tf.Tensor2D | undefined];
      loss = tf.add(loss, chunkLoss);
      gradients.push(chunkGradient);
      if (chunkHead !== undefined)
        headGradient = headGradient === undefined ? chunkHead : tf.add<tf.Tensor2D>(headGradient, chunkHead);
    }
    const hiddenGradient = gradients.length === 1 ? gradients[0]! : tf.concat(gradients, 0);
    return { loss, hiddenGradient, headGradient };
  });
}

/** Sum of -log p(label) and its gradient with respect to the logits `[rows, vocabulary]`, whose place that may take. */
function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): { loss: tf.Scalar; dLogits: tf.Tensor2D } {
  const fused = runFused('MemgenCrossEntropy', { logits, labels });
  if (fused !== undefined) return { loss: fused[0] as tf.Scalar, dLogits: fused[1] as tf.Tensor2D };
  const target = tf.oneHot(labels, logits.shape[1]) as tf.Tensor2D;
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const exponentials = tf.exp(shifted);
  const total = tf.sum(exponentials, 1, true);
  const labelLogits = tf.sum(tf.mul(shifted, target), 1, true);
  const dLogits = tf.sub<tf.Tensor2D>(tf.div(exponentials, total), target);
  return { loss: tf.sum(tf.sub(tf.log(total), labelLogits)), dLogits };
}

/** Sum of -log p(label) as a differentiable scalar, for use under tfjs's own gradient tape. */
export function tokenLoss(
  hidden: tf.Tensor2D,
  labels: readonly number[],
  head: tf.Tensor2D,
  options: TokenLossOptions = {},
): tf.Scalar {
  if (!isTrainable(head)) {
    return tf.customGrad((hidden, save) => {
      const { loss, hiddenGradient } = tokenLossWithGradients(hidden as tf.Tensor2D, labels, head, options);
      (save as tf.GradSaveFunc)([hiddenGradient]);
      return { value: loss, gradFunc: (dy, saved) => tf.mul(dy, saved[0]!) };
    })(hidden) as tf.Scalar;
  }
  return tf.customGrad((hidden, head, save) => {
    const result = tokenLossWithGradients(hidden as tf.Tensor2D, labels, head as tf.Tensor2D, options);
    (save as tf.GradSaveFunc)([result.hiddenGradient, result.headGradient!]);
    return { value: result.loss, gradFunc: (dy, saved) => [tf.mul(dy, saved[0]!), tf.mul(dy, saved[1]!)] };
  })(hidden, head) as tf.Scalar;
}
