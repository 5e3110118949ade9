// Cross entropy of labelled rows on TensorFlow, with its gradient; `ops/token-loss.ts` says what it computes.
import { kernelOf } from './operations.js';

/** `logits [rows, vocabulary], labels [rows] -> loss, dLogits`: the sum of -log p(label), and its gradient. */
export const crossEntropy = kernelOf((run, inputs) => {
  const [logits, labels] = run.inputs(inputs, ['logits', 'labels']);
  const [losses, dLogits] = run.crossEntropy(logits, labels);
  return [run.reshape(run.sum(losses), []), dLogits];
});
