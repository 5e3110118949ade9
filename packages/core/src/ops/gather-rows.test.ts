// Picking rows, and the scatter that is its gradient.
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { gatherRows } from './gather-rows.js';
import { expectOperation, randomValues } from './operation-check.test-helper.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('gatherRows', () => {
  it.each([{ indices: [3, 0, 2] }, { indices: [1] }, { indices: [4, 3, 2, 1, 0] }])(
    'picks rows $indices; rows that were not picked get a zero gradient',
    ({ indices }) => {
      expectOperation({
        inputs: [randomValues([5, 3], 1)],
        operation: (x) => gatherRows(x as tf.Tensor2D, indices),
        reference: (x) => indices.flatMap((row) => x.slice(row * 3, row * 3 + 3)),
      });
    },
  );
});
