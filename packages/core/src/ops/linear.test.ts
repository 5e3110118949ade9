// Affine maps with and without a bias.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { linear, multiplyByWeight, type LinearWeights } from './linear.js';
import { expectOperation, randomValues, relativeDifference } from './operation-check.test-helper.js';

const [input, output] = [4, 3];

function linearReference(x: number[], weight: number[], bias: number[] = [0, 0, 0]): number[] {
  return Array.from({ length: (x.length / input) * output }, (_, at) => {
    const [row, column] = [Math.floor(at / output), at % output];
    let sum = bias[column]!;
    for (let i = 0; i < input; i++) sum += x[row * input + i]! * weight[i * output + column]!;
    return sum;
  });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('linear', () => {
  const x = randomValues([2, input], 1);
  const weight = randomValues([input, output], 2);

  it('is x W', () => {
    expectOperation({
      inputs: [x, weight],
      operation: (x, weight) => linear(x as tf.Tensor2D, { weight: weight as tf.Tensor2D }),
      reference: linearReference as (...inputs: number[][]) => number[],
    });
  });

  it('is x W + b', () => {
    expectOperation({
      inputs: [x, weight, randomValues([output], 3)],
      operation: (x, weight, bias) =>
        linear(x as tf.Tensor2D, { weight: weight as tf.Tensor2D, bias: bias as tf.Tensor1D }),
      reference: linearReference as (...inputs: number[][]) => number[],
    });
  });
});

const tensorflow = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

describe.skipIf(!tensorflow)('a weight turned over (needs the tensorflow backend)', () => {
  beforeAll(() => startBackend({ backend: 'tensorflow' }));

  it('is kept where its size makes transposed products slow, and gives the same', () => {
    for (const [rows, columns, copies] of [
      [3, 1025, 1],
      [1025, 1024, 1],
      [1025, 1025, 0],
    ] as const) {
      const weights: LinearWeights = { weight: tf.randomNormal([rows, columns], 0, 1, 'float32', 1) };
      const x = tf.randomNormal<tf.Rank.R2>([2, columns], 0, 1, 'float32', 2);
      const before = tf.memory().numTensors;
      const [first, second] = [1, 2].map(() => tf.tidy(() => multiplyByWeight(x, weights, true).dataSync()));
      expect(tf.memory().numTensors - before).toBe(copies);
      const expected = tf.tidy(() => tf.matMul(x, weights.weight, false, true).dataSync());
      expect(relativeDifference(first!, expected)).toBeLessThan(1e-5);
      expect(second).toEqual(first);
      tf.dispose([weights.weight, ...(weights.transposed === undefined ? [] : [weights.transposed]), x]);
    }
  });

  it('is not kept of a weight that changes', () => {
    const weights: LinearWeights = { weight: tf.variable(tf.ones<tf.Rank.R2>([3, 1024])) };
    tf.tidy(() => multiplyByWeight(tf.ones([2, 1024]), weights, true));
    expect(weights.transposed).toBeUndefined();
    weights.weight.dispose();
  });
});
