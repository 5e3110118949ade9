// Sums and norms over the gradients of a step.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { accumulateGradients, clipGradients, disposeGradients, type Gradients } from './gradients.js';

let before: number;
let variables: tf.Variable[];

beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
  variables = [1, 2].map((size) => tf.tidy(() => tf.variable(tf.zeros([size]))));
});
afterEach(() => {
  tf.dispose(variables);
  expect(tf.memory().numTensors).toBe(before);
});

function gradientsOf(...values: number[][]): Gradients {
  return new Map(values.map((data, i) => [variables[i]!, tf.tensor1d(data)]));
}

function read(gradients: Gradients): number[][] {
  return variables.map((variable) => [...(gradients.get(variable)?.dataSync() ?? [])]);
}

describe('accumulateGradients', () => {
  it('adds what is there, takes over what is not', () => {
    const sums = gradientsOf([1]);
    accumulateGradients(sums, gradientsOf([2], [3, 4]));
    accumulateGradients(sums, gradientsOf([5]));
    expect(read(sums)).toEqual([[8], [3, 4]]);
    disposeGradients(sums);
    expect(sums.size).toBe(0);
  });
});

describe('clipGradients', () => {
  it('scales all together down to the norm and returns the norm before', async () => {
    const gradients = gradientsOf([2], [3, 6]);
    expect(await clipGradients(gradients, 0.7)).toBeCloseTo(7, 5);
    const values = read(gradients);
    [0.2, 0.3, 0.6].forEach((want, i) => {
      expect(values.flat()[i]).toBeCloseTo(want, 5);
    });
    expect(Math.hypot(...values.flat())).toBeLessThanOrEqual(0.7);
    disposeGradients(gradients);
  });

  it('leaves smaller ones as they are, to the bit', async () => {
    const gradients = gradientsOf([2], [3, 6]);
    expect(await clipGradients(gradients, 8)).toBeCloseTo(7, 5);
    expect(read(gradients)).toEqual([[2], [3, 6]]);
    disposeGradients(gradients);
  });

  it('finds the norm of nothing and of zeros to be 0', async () => {
    expect(await clipGradients(new Map(), 1)).toBe(0);
    const zeros = gradientsOf([0], [0, 0]);
    expect(await clipGradients(zeros, 1)).toBe(0);
    expect(read(zeros)).toEqual([[0], [0, 0]]);
    disposeGradients(zeros);
  });
});
