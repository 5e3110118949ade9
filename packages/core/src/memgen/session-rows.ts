// The rows of a weaver's or trigger's session: what it is given is checked before anything is computed.
import { MemGenError } from '@memgen/common';
import type * as tf from '@tensorflow/tfjs';
import type { MaskRow } from '../model/attention-columns.js';

/** Counts the rows that a session goes on with; for implementations of `WeaverSession` and `TriggerSession`. */
export class SessionRows {
  private rows: number;
  private readonly mayEnd: boolean;

  /** @throws MemGenError `session-rows` unless `batch` is a whole number from 1. */
  constructor({ batch, ownership = 'merged' }: { batch: number; ownership?: 'merged' | 'parts' }) {
    if (!Number.isInteger(batch) || batch < 1) {
      throw new MemGenError({
        code: 'session-rows',
        message: 'a session needs at least one row',
        got: `a batch of ${batch}`,
        expected: 'a whole number from 1',
      });
    }
    this.rows = batch;
    this.mayEnd = ownership === 'parts';
  }

  /** Rows that take part. */
  get count(): number {
    return this.rows;
  }

  /**
   * Takes note of new columns; with the ownership `"parts"` there may be fewer rows than before.
   * @returns the columns of each row.
   * @throws MemGenError `session-columns` unless there is a mask of 0 and 1 for each row, equally long.
   */
  read(mask: readonly MaskRow[]): number {
    const { rows, mayEnd } = this;
    if (mask.length === 0 || mask.length > rows || (mask.length < rows && !mayEnd)) {
      throw new MemGenError({
        code: 'session-columns',
        message: 'a session reads columns of all its rows',
        got: `masks of ${mask.length} rows`,
        expected: mayEnd ? `1 to ${rows}` : String(rows),
      });
    }
    const columns = mask[0]!.length;
    if (mask.some((row) => row.length !== columns || row.some((entry) => entry !== 0 && entry !== 1))) {
      throw new MemGenError({
        code: 'session-columns',
        message: 'a mask holds a 0 or 1 for each column, equally many in each row',
        got: mask.map((row) => `[${row.join(' ')}]`).join(', '),
      });
    }
    this.rows = mask.length;
    return columns;
  }

  /**
   * Goes on with the given rows.
   * @throws MemGenError `session-rows` for no row at all, or one that is not there.
   */
  select(rows: readonly number[]): void {
    if (rows.length === 0 || rows.some((row) => !Number.isInteger(row) || row < 0 || row >= this.rows)) {
      throw new MemGenError({
        code: 'session-rows',
        message: 'a session can only go on with rows that it has',
        got: `rows ${rows.join(', ') || 'none'}`,
        expected: `whole numbers from 0 to ${this.rows - 1}`,
      });
    }
    this.rows = rows.length;
  }
}

/**
 * For the vectors that a weaver is given.
 * @throws MemGenError `session-columns` for another shape.
 */
export function checkVectors(vectors: tf.Tensor, rows: number, hidden: number): void {
  if (vectors.rank === 2 && vectors.shape[0] === rows && vectors.shape[1] === hidden) return;
  throw new MemGenError({
    code: 'session-columns',
    message: 'the vectors do not fit the mask or the hidden size',
    got: `[${vectors.shape.join(', ')}]`,
    expected: `[${rows}, ${hidden}]`,
  });
}
