// Layer norm against its definition.
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { layerNorm } from './layer-norm.js';
import { expectOperation, randomValues } from './operation-check.test-helper.js';

const size = 6;

function layerNormReference(epsilon: number) {
  return (x: number[], weight: number[], bias: number[]): number[] =>
    x.map((value, at) => {
      const row = x.slice(at - (at % size), at - (at % size) + size);
      const mean = row.reduce((sum, v) => sum + v, 0) / size;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / size;
      return ((value - mean) / Math.sqrt(variance + epsilon)) * weight[at % size]! + bias[at % size]!;
    });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('layerNorm', () => {
  const inputs = [randomValues([3, size], 1), randomValues([size], 2), randomValues([size], 3)];

  it("centres and scales each row, with PyTorch's epsilon", () => {
    expectOperation({
      inputs,
      operation: (x, weight, bias) => layerNorm(x as tf.Tensor2D, weight as tf.Tensor1D, bias as tf.Tensor1D),
      reference: layerNormReference(1e-5) as (...inputs: number[][]) => number[],
    });
  });

  it('takes another epsilon', () => {
    expectOperation({
      inputs,
      operation: (x, weight, bias) => layerNorm(x as tf.Tensor2D, weight as tf.Tensor1D, bias as tf.Tensor1D, 0.5),
      reference: layerNormReference(0.5) as (...inputs: number[][]) => number[],
    });
  });
});
