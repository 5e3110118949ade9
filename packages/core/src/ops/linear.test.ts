// Affine maps with and without a bias.
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { linear } from './linear.js';
import { expectOperation, randomValues } from './operation-check.test-helper.js';

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
