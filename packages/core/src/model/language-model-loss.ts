// Language-model loss of plain sequences, padded on the right: the training forward of pre-training and LoRA tuning.
import type * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../ops/gather-rows.js';
import { tokenLoss } from '../ops/token-loss.js';
import type { AdapterPasses } from './projection.js';
import type { Decoder } from './decoder.js';

/** A sequence and its labels, aligned; -100 is not supervised. */
export interface PlainSequence {
  ids: readonly number[];
  labels: readonly number[];
}

/**
 * Sum of -log p(label i | tokens before i) over the supervised tokens, as a differentiable scalar for `tf.variableGrads`.
 * @returns the loss and how many tokens it counts.
 */
export function languageModelLoss(
  decoder: Decoder,
  sequences: readonly PlainSequence[],
  adapter?: AdapterPasses,
): { loss: tf.Scalar; tokens: number } {
  const width = Math.max(...sequences.map(({ ids }) => ids.length));
  const ids = sequences.flatMap((row) => Array.from({ length: width }, (_, t) => row.ids[t] ?? 0));
  const mask = sequences.map((row) => Array.from({ length: width }, (_, t) => (t < row.ids.length ? 1 : 0)));
  const places: number[] = [];
  const labels: number[] = [];
  sequences.forEach((row, b) => {
    row.labels.forEach((label, t) => {
      if (label < 0 || t === 0) return;
      places.push(b * width + t - 1);
      labels.push(label);
    });
  });
  const cache = decoder.createCache(sequences.length, 'parts');
  const hidden = decoder.forward(decoder.embed(ids), mask, { cache, adapter });
  return { loss: tokenLoss(gatherRows(hidden, places), labels, decoder.weights.head), tokens: labels.length };
}
