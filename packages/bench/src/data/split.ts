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

export interface Shares {
  train: number;
  validation: number;
  test: number;
}

export interface ThreeWaySplit<Row> {
  /** In the order of the input, as are the others. */
  train: Row[];
  validation: Row[];
  test: Row[];
}

/**
 * Divides groups of rows at random; validation and test get their shares of the groups, rounded, and training the rest.
 *
 * @param groupOf - rows of the same group stay together; default: every row is a group of its own.
 * @throws MemGenError `data-split` for shares that are negative or do not sum to 1.
 */
export function splitByShares<Row extends { id: string }>(
  rows: readonly Row[],
  { random, shares, groupOf = ({ id }) => id }: { random: Random; shares: Shares; groupOf?: (row: Row) => string },
): ThreeWaySplit<Row> {
  const { train, validation, test } = shares;
  if (Math.min(train, validation, test) < 0 || !(Math.abs(train + validation + test - 1) < 1e-9)) {
    throw new MemGenError({
      code: 'data-split',
      message: 'the shares of training, validation and test rows are not possible',
      got: `${train}, ${validation} and ${test}`,
      expected: 'three numbers from 0 to 1 whose sum is 1',
    });
  }
  const groups = random.shuffle([...new Set(rows.map(groupOf))]);
  const validationCount = Math.round(groups.length * validation);
  const testCount = Math.min(groups.length - validationCount, Math.round(groups.length * test));
  const validationGroups = new Set(groups.slice(0, validationCount));
  const testGroups = new Set(groups.slice(validationCount, validationCount + testCount));
  const isHeldOut = (group: string) => validationGroups.has(group) || testGroups.has(group);
  return {
    train: rows.filter((row) => !isHeldOut(groupOf(row))),
    validation: rows.filter((row) => validationGroups.has(groupOf(row))),
    test: rows.filter((row) => testGroups.has(groupOf(row))),
  };
}
