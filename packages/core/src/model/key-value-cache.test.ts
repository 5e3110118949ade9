// Who owns keys and values, in the merged and in the parted cache.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { AttentionColumns } from './attention-columns.js';
import { KeyValueCache } from './key-value-cache.js';

let before: number;
beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** Keys of two rows, one head, channel size 1. */
function columnsOf(first: number[], second: number[]): tf.Tensor4D {
  return tf.tensor4d([...first, ...second], [2, 1, first.length, 1]);
}

function values(tensors: readonly tf.Tensor[]): number[][] {
  return tensors.map((tensor) => [...tensor.dataSync()]);
}

describe('a merged cache', () => {
  it('joins columns into one tensor per layer and survives the scope they were made in', () => {
    const cache = new KeyValueCache(2, new AttentionColumns(2));
    tf.tidy(() => {
      cache.append(1, columnsOf([1, 2], [5, 6]), columnsOf([-1, -2], [-5, -6]));
      cache.append(1, columnsOf([3], [7]), columnsOf([-3], [-7]));
    });
    expect(cache.layer(0).keys).toEqual([]);
    expect(values(cache.layer(1).keys)).toEqual([[1, 2, 3, 5, 6, 7]]);
    expect(values(cache.layer(1).values)).toEqual([[-1, -2, -3, -5, -6, -7]]);
    cache.dispose();
  });

  it('frees what it replaces', () => {
    const cache = new KeyValueCache(1, new AttentionColumns(2));
    cache.replace(0, columnsOf([1], [2]), columnsOf([3], [4]));
    cache.replace(0, columnsOf([1, 9], [2, 9]), columnsOf([3, 9], [4, 9]));
    expect(tf.memory().numTensors).toBe(before + 2);
    cache.dispose();
    cache.dispose();
  });

  it('selects rows into a cache of its own', () => {
    const columns = new AttentionColumns(2);
    columns.append([[1, 1], [0, 1]]); // prettier-ignore
    const cache = new KeyValueCache(1, columns);
    cache.replace(0, columnsOf([1, 2], [5, 6]), columnsOf([3, 4], [7, 8]));
    const chosen = cache.select([1, 0, 1]);
    cache.dispose();
    expect(values(chosen.layer(0).keys)).toEqual([[5, 6, 1, 2, 5, 6]]);
    expect(values(chosen.layer(0).values)).toEqual([[7, 8, 3, 4, 7, 8]]);
    expect(chosen.columns.append([[1], [1], [1]])).toEqual([[1], [2], [1]]);
    expect(chosen.ownership).toBe('merged');
    chosen.dispose();
  });

  it('selects rows of an empty cache', () => {
    const cache = new KeyValueCache(1, new AttentionColumns(3));
    const chosen = cache.select([2]);
    expect(chosen.columns.batch).toBe(1);
    expect(chosen.layer(0).keys).toEqual([]);
  });
});

describe('a cache in parts', () => {
  it('hands out the very tensors it was given and leaves them to their owner', () => {
    const cache = new KeyValueCache(1, new AttentionColumns(2), 'parts');
    const parts = [columnsOf([1], [2]), columnsOf([3], [4])];
    for (const part of parts) cache.append(0, part, part);
    expect(cache.layer(0).keys).toEqual(parts);
    expect(cache.layer(0).keys[0]).toBe(parts[0]);
    cache.dispose();
    expect(parts.map(({ isDisposed }) => isDisposed)).toEqual([false, false]);
    expect(cache.layer(0).keys).toEqual([]);
    tf.dispose(parts);
  });
});
