// Which rows each step sees.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { DataOrder } from './data-order.js';

function order(rows: number, batchSize: number, seed = 1): DataOrder {
  return new DataOrder({ rows, batchSize, random: Random.fromSeed(seed) });
}

function batches(of: DataOrder, from: number, to: number): number[][] {
  return Array.from({ length: to - from }, (_, i) => of.batch(from + i));
}

describe('DataOrder', () => {
  it('uses every row once in each epoch; the last batch may be smaller', () => {
    const data = order(10, 4);
    expect(data.stepsPerEpoch).toBe(3);
    for (const epoch of [0, 1, 2]) {
      const seen = batches(data, 3 * epoch, 3 * epoch + 3);
      expect(seen.map((batch) => batch.length)).toEqual([4, 4, 2]);
      expect(seen.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('shuffles each epoch anew', () => {
    const data = order(20, 20);
    const [first, second] = [data.batch(0), data.batch(1)];
    expect(first).not.toEqual(second);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
  });

  it('gives the same for a step however it is asked: again, backwards, after a restart', () => {
    const inOrder = batches(order(7, 2), 0, 12);
    const data = order(7, 2);
    for (let step = 11; step >= 0; step--) expect(data.batch(step)).toEqual(inOrder[step]);
    expect(order(7, 2).batch(9)).toEqual(inOrder[9]);
    expect(batches(order(7, 2, 2), 0, 4)).not.toEqual(inOrder.slice(0, 4));
  });

  it('keeps the given order where it is a curriculum', () => {
    const data = new DataOrder({ rows: 5, batchSize: 2, random: Random.fromSeed(1), shuffle: false });
    expect(batches(data, 0, 4)).toEqual([[0, 1], [2, 3], [4], [0, 1]]);
  });

  it('takes batches larger than the data', () => {
    const data = order(3, 8);
    expect(data.stepsPerEpoch).toBe(1);
    expect(data.batch(5)).toHaveLength(3);
  });

  it('refuses to train on nothing', () => {
    expect(() => order(0, 4)).toThrow(expect.objectContaining({ code: 'data-empty' }));
  });
});
