// Divides rows into training and validation by a seeded draw that can be repeated.
import { MemGenError, type Random } from '@memgen/common';

export interface Split<Row> {
  /** In the order of the input. */
  train: Row[];
  /** In the order of the input. */
  validation: Row[];
}

/**
 * Draws `ceil(rows * validationRatio)` validation rows without replacement; at least one row stays for training.
 *
 * @param validationRatio - in [0, 1); default 0.1, the reference's for GSM8K.
 * @throws MemGenError `data-split`.
 */
export function splitRows<Row>(
  rows: readonly Row[],
  { random, validationRatio = 0.1 }: { random: Random; validationRatio?: number },
): Split<Row> {
  if (!(validationRatio >= 0 && validationRatio < 1)) {
    throw new MemGenError({
      code: 'data-split',
      message: 'the share of validation rows is not possible',
      got: String(validationRatio),
      expected: 'a number from 0 up to, not including, 1',
    });
  }
  const count = Math.ceil(rows.length * validationRatio);
  if (count > 0 && count >= rows.length) {
    throw new MemGenError({
      code: 'data-split',
      message: 'no row would be left for training',
      got: `${rows.length} rows, of which ${count} for validation`,
      hint: 'use more rows or a smaller share',
    });
  }
  const indices = rows.map((_, i) => i);
  const chosen = new Set(random.sample(indices, count));
  return { train: rows.filter((_, i) => !chosen.has(i)), validation: rows.filter((_, i) => chosen.has(i)) };
}
