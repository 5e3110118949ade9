// Which tokens a vector resembles: cosines with all embeddings of a reasoner, a part of the vocabulary at a time.
import * as tf from '@tensorflow/tfjs';
import { valuesOf } from '../training/values-of.js';
import type { Decoder } from '../model/decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { NearToken } from './trace.js';

export interface NearTokensOptions {
  /** Tokens for each vector. @default 5 */
  count?: number;
  /** Embeddings that are looked at at a time, which is what this takes in memory. @default 4096 */
  chunk?: number;
}

interface Candidate {
  id: number;
  similarity: number;
}

/**
 * The tokens whose embeddings point most nearly the same way as each vector. Ids without a token, which only fill up an
 * embedding table, are left out.
 * @param vectors - `[n, hidden]`, borrowed.
 * @returns for each vector its tokens, nearest first.
 */
export async function nearTokens(
  { decoder, tokenizer }: { decoder: Decoder; tokenizer: Tokenizer },
  vectors: tf.Tensor2D,
  { count = 5, chunk = 4096 }: NearTokensOptions = {},
): Promise<NearToken[][]> {
  const rows = vectors.shape[0];
  const best: Candidate[][] = Array.from({ length: rows }, () => []);
  const size = Math.min(decoder.config.vocabularySize, tokenizer.vocabularySize);
  for (let start = 0; start < size; start += chunk) {
    const ids = Array.from({ length: Math.min(chunk, size - start) }, (_, i) => start + i);
    const values = await valuesOf(() => cosines(vectors, decoder.weights.embedding.columns(start, ids.length)));
    best.forEach((candidates, row) => {
      ids.forEach((id, i) => {
        const similarity = values[row * ids.length + i]!;
        const isBetter = candidates.length < count || similarity > candidates.at(-1)!.similarity;
        if (isBetter && tokenizer.tokenOf(id) !== undefined) insert(candidates, { id, similarity }, count);
      });
    });
  }
  return best.map((candidates) =>
    candidates.map(({ id, similarity }) => ({ id, text: tokenizer.decode([id]), similarity })),
  );
}

/** Cosines of rows `[n, hidden]` with columns `[hidden, m]`; those of zeros are zero. */
function cosines(rows: tf.Tensor2D, columns: tf.Tensor2D): tf.Tensor2D {
  const ones = tf.ones<tf.Rank.R2>([1, columns.shape[0]]);
  // A product, for sums along the first axis are slow on wasm.
  const columnLengths = tf.sqrt(tf.matMul(ones, tf.square(columns)));
  const rowLengths = tf.norm(rows, 'euclidean', 1, true);
  return tf.div(tf.matMul(rows, columns), tf.maximum(tf.mul(rowLengths, columnLengths), 1e-12));
}

/** Keeps the list sorted and at most `count` long. */
function insert(candidates: Candidate[], candidate: Candidate, count: number): void {
  const at = candidates.findIndex(({ similarity }) => similarity < candidate.similarity);
  candidates.splice(at === -1 ? candidates.length : at, 0, candidate);
  if (candidates.length > count) candidates.pop();
}
