// Rows of a session: what is counted, and what is refused before anything is computed.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { checkVectors, SessionRows } from './session-rows.js';

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
});

const failure = (code: string) => expect.objectContaining({ code }) as Error;

describe('SessionRows', () => {
  it('tells the columns of each row and follows selections', () => {
    const rows = new SessionRows({ batch: 2 });
    expect(rows.read([[1, 0, 1], [0, 0, 0]])).toBe(3); // prettier-ignore
    rows.select([1, 1, 0]);
    expect(rows.count).toBe(3);
    expect(rows.read([[1], [1], [1]])).toBe(1);
  });

  it('lets rows end in training alone, and for good', () => {
    const rows = new SessionRows({ batch: 3, ownership: 'parts' });
    rows.read([[1], [1]]);
    expect(rows.count).toBe(2);
    expect(() => rows.read([[1], [1], [1]])).toThrow(failure('session-columns'));
    const inGeneration = new SessionRows({ batch: 3 });
    expect(() => inGeneration.read([[1], [1]])).toThrow(failure('session-columns'));
  });

  it.each<[string, number[][]]>([
    ['no row', []],
    ['rows of different lengths', [[1, 1], [1]]],
    [
      'something else than 0 and 1',
      [
        [1, 2],
        [1, 1],
      ],
    ],
    ['too many rows', [[1], [1], [1]]],
  ])('refuses %s', (_, mask) => {
    const rows = new SessionRows({ batch: 2 });
    expect(() => rows.read(mask)).toThrow(failure('session-columns'));
    expect(rows.count).toBe(2);
  });

  it.each([[[]], [[2]], [[-1]], [[0.5]]])('refuses to go on with rows %j', (chosen) => {
    expect(() => {
      new SessionRows({ batch: 2 }).select(chosen);
    }).toThrow(failure('session-rows'));
  });

  it.each([0, 1.5, -1, NaN])('refuses a batch of %d', (batch) => {
    expect(() => new SessionRows({ batch })).toThrow(failure('session-rows'));
  });
});

describe('checkVectors', () => {
  it('wants one vector of the hidden size for each column', () => {
    const vectors = tf.zeros([6, 4]);
    checkVectors(vectors, 6, 4);
    for (const [rows, hidden] of [
      [5, 4],
      [6, 3],
    ] as const) {
      expect(() => {
        checkVectors(vectors, rows, hidden);
      }).toThrow(failure('session-columns'));
    }
    vectors.dispose();
  });
});
