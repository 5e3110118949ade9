// Positions, biases and rotary factors of padded batches.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { AttentionColumns, rotaryFactors } from './attention-columns.js';

let before: number;
beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** 0 where a column may be seen, 1 where it is hidden: `[batch or 1][tokens][columns]`. */
function hidden(columns: AttentionColumns, tokens: number): number[][][] | undefined {
  const bias = columns.bias(tokens);
  if (bias === undefined) return undefined;
  const [batch, one, rows, width] = bias.shape;
  expect(one).toBe(1);
  const values = bias.dataSync();
  bias.dispose();
  expect(values.every((value) => value === 0 || value <= -1e8)).toBe(true);
  return Array.from({ length: batch }, (_, b) =>
    Array.from({ length: rows }, (_, t) =>
      Array.from({ length: width }, (_, c) => (values[(b * rows + t) * width + c] === 0 ? 0 : 1)),
    ),
  );
}

describe('AttentionColumns positions', () => {
  it('count real columns only and are 0 at padding, on either side and in between', () => {
    const columns = new AttentionColumns(3);
    expect(columns.append([[0, 0, 1], [1, 1, 0], [1, 1, 1]])).toEqual([[0, 0, 0], [0, 1, 0], [0, 1, 2]]); // prettier-ignore
    expect(columns.append([[1, 1], [1, 0], [0, 1]])).toEqual([[1, 2], [2, 0], [0, 3]]); // prettier-ignore
    expect([columns.batch, columns.length]).toEqual([3, 5]);
  });

  it('go back when columns are dropped', () => {
    const columns = new AttentionColumns(2);
    columns.append([[1, 1], [0, 1]]); // prettier-ignore
    columns.append([[1, 0, 1], [1, 1, 0]]); // prettier-ignore
    columns.drop(2);
    expect(columns.length).toBe(3);
    expect(columns.append([[1], [1]])).toEqual([[3], [2]]);
  });

  it('follow the rows that are selected, in their new order', () => {
    const columns = new AttentionColumns(3);
    columns.append([[1, 1, 1], [0, 0, 1], [0, 1, 1]]); // prettier-ignore
    const chosen = columns.select([2, 0]);
    expect(chosen.append([[1], [1]])).toEqual([[2], [3]]);
    expect(columns.length).toBe(3);
    expect(hidden(chosen, 1)).toEqual([[[1, 0, 0, 0]], [[0, 0, 0, 0]]]);
  });

  it('of a clone go their own way', () => {
    const columns = new AttentionColumns(1);
    columns.append([[1, 1]]);
    const copy = columns.clone();
    copy.append([[1]]);
    expect(columns.append([[1, 1]])).toEqual([[2, 3]]);
    expect([columns.length, copy.length]).toEqual([4, 3]);
  });

  it('go on with the leading rows when fewer rows take part', () => {
    const columns = new AttentionColumns(3);
    columns.append([[1], [1], [1]]);
    expect(columns.append([[1, 1], [0, 1]])).toEqual([[1, 2], [0, 1]]); // prettier-ignore
    expect(columns.batch).toBe(2);
  });
});

describe('AttentionColumns.bias', () => {
  it('hides later columns, one mask for the whole batch', () => {
    const columns = new AttentionColumns(2);
    columns.append([[1, 1, 1], [1, 1, 1]]); // prettier-ignore
    expect(hidden(columns, 3)).toEqual([[[0, 1, 1], [0, 0, 1], [0, 0, 0]]]); // prettier-ignore
    expect(hidden(columns, 2)).toEqual([[[0, 0, 1], [0, 0, 0]]]); // prettier-ignore
  });

  it('hides padding row by row, also that of earlier columns', () => {
    const columns = new AttentionColumns(2);
    columns.append([[0, 1], [1, 1]]); // prettier-ignore
    columns.append([[1, 1], [1, 0]]); // prettier-ignore
    expect(hidden(columns, 2)).toEqual([
      [[1, 0, 0, 1], [1, 0, 0, 0]],
      [[0, 0, 0, 1], [0, 0, 0, 1]],
    ]); // prettier-ignore
  });

  it('is not needed for a single token without padding', () => {
    const columns = new AttentionColumns(2);
    columns.append([[1, 1], [1, 1]]); // prettier-ignore
    expect(hidden(columns, 1)).toBeUndefined();
    columns.append([[1], [0]]);
    expect(hidden(columns, 1)).toEqual([[[0, 0, 0]], [[0, 0, 1]]]);
  });
});

describe('rotaryFactors', () => {
  it('gives cosines and sines of position times frequency, twice side by side, scaled', () => {
    const halfTurn = tf.zeros<tf.Rank.R2>([4, 4]);
    const settings = { inverseFrequencies: [1, 0.1], attentionScaling: 1.5 };
    const { cos, sin } = rotaryFactors([[0, 3], [2, 1]], settings, halfTurn); // prettier-ignore
    expect(cos.shape).toEqual([2, 1, 2, 4]);
    const angles = [0, 0, 3, 0.3, 2, 0.2, 1, 0.1];
    const twice = [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7].map((i) => angles[i]!);
    const got = [cos.dataSync(), sin.dataSync()] as const;
    twice.forEach((angle, i) => {
      expect(got[0][i]).toBeCloseTo(1.5 * Math.cos(angle), 6);
      expect(got[1][i]).toBeCloseTo(1.5 * Math.sin(angle), 6);
    });
    tf.dispose([cos, sin, halfTurn]);
  });
});
