// What can read the rows of a batch without gradients: a model on the backend, or its step decoder.
import type { RowVectors } from './row-vectors.js';

export interface ReadOptions {
  /** Columns of each row whose hidden states are wanted, from its end; no row that reads may have fewer. @default 1 */
  last?: number | undefined;
  /** Columns at the end of each row of which no trace is kept. @default 0 */
  forget?: number | undefined;
}

/** Reads what rows are given behind what they have read before. */
export interface RowReader {
  /** Input vectors of tokens, `[ids.length * hidden]`. */
  embed(ids: readonly number[]): Promise<Float32Array>;
  /**
   * Reads input vectors; at least one row reads.
   * @returns by row, final hidden states `[last, hidden]` after the last norm.
   */
  hidden(vectors: RowVectors, options?: ReadOptions): Promise<(Float32Array | undefined)[]>;
  /** As {@link RowReader.hidden}. @returns by row, logits `[vocabulary]` of what follows its last column. */
  logits(vectors: RowVectors): Promise<(Float32Array | undefined)[]>;
  /** Goes on with the given rows only, in this order; a row may be repeated. */
  select(rows: readonly number[]): void;
  dispose(): void;
}
