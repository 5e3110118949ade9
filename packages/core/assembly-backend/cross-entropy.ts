// Cross entropy of labelled rows: what the loss needs, and the gradient in the place of the logits.
import { addBias, exponentialsOf, scaleBy } from './softmax';

/**
 * Replaces `logits [rows, vocabulary]` by softmax minus one-hot label.
 * @param labels - `[rows]`, 32-bit integers in 0 ... vocabulary - 1.
 * @param parts - `[rows, 2]`: label's logit minus the largest, and sum of the exponentials of all logits minus the largest.
 */
export function crossEntropy(logits: usize, labels: usize, parts: usize, rows: i32, vocabulary: i32): void {
  for (let row = 0; row < rows; row++) {
    const label = logits + ((<usize>load<u32>(labels + ((<usize>row) << 2))) << 2);
    const logit = load<f32>(label);
    const largest = addBias(logits, vocabulary, 1, 0);
    const sum = exponentialsOf(logits, vocabulary, largest);
    scaleBy(logits, vocabulary, 1 / sum);
    store<f32>(label, load<f32>(label) - 1);
    store<f32>(parts, logit - largest);
    store<f32>(parts, sum, 4);
    parts += 8;
    logits += (<usize>vocabulary) << 2;
  }
}
