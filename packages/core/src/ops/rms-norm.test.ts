// RMS norm against its definition, with frozen and trainable weights.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { expectOperation, randomValues } from './operation-check.test-helper.js';
import { rmsNorm } from './rms-norm.js';

const size = 5;
const epsilon = 1e-3;

function reference(x: number[], weight: number[]): number[] {
  return x.map((value, i) => {
    const row = x.slice(i - (i % size), i - (i % size) + size);
    const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / size;
    return (value / Math.sqrt(meanSquare + epsilon)) * weight[i % size]!;
  });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('rmsNorm', () => {
  const operation = (x: tf.Tensor, weight: tf.Tensor) => rmsNorm(x, weight, epsilon);
  const inputs = [randomValues([3, size], 1), randomValues([size], 2)];

  it('normalises rows and differentiates the input under a frozen weight', () => {
    expectOperation({ inputs, differentiate: [0], operation, reference });
  });

  it('differentiates input and weight when the weight is trainable', () => {
    expectOperation({ inputs, trainable: [1], operation, reference });
  });

  it('works over the last axis of a tensor of four dimensions', () => {
    const x = randomValues([2, 2, 3, size], 3);
    expectOperation({ inputs: [x, inputs[1]!], trainable: [1], operation, reference });
  });

  it('is finite at zero, where epsilon alone stands under the root', () => {
    const zero = { shape: [1, size], data: [0, 0, 0, 0, 0] };
    expectOperation({ inputs: [zero, inputs[1]!], trainable: [1], operation, reference, tolerance: 1e-4 });
  });

  it('gives no gradient to a frozen weight', () => {
    tf.tidy(() => {
      const [x, weight] = inputs.map(({ data, shape }) => tf.tensor([...data], shape)) as [tf.Tensor, tf.Tensor];
      expect(() => tf.grad((w: tf.Tensor) => rmsNorm(x, w, epsilon))(weight)).toThrow(/gradient/);
    });
  });
});
