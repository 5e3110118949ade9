// Compares an operation and its gradient with a plain JavaScript computation in float64.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';

/** Row-major values and their shape. */
export interface Values {
  shape: number[];
  data: readonly number[];
}

export interface OperationCheck {
  inputs: readonly Values[];
  /** Inputs that become variables; all others are plain tensors. @default none */
  trainable?: readonly number[];
  /** Inputs whose gradient is compared. @default all */
  differentiate?: readonly number[];
  operation: (...tensors: tf.Tensor[]) => tf.Tensor;
  /** The same in plain JavaScript; takes and gives row-major values. */
  reference: (...inputs: number[][]) => number[];
  /** Largest difference, as a part of the largest value. @default 5e-5: wasm's exp is good to 1e-5 */
  tolerance?: number;
}

/** Standard normal values. */
export function randomValues(shape: number[], seed: number): Values {
  const random = Random.fromSeed(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  // Rounded to float32 so that both computations start from the same numbers.
  return { shape, data: Array.from({ length }, () => Math.fround(random.normal())) };
}

/** Largest absolute difference as a part of the largest expected value (of 1 at least). */
export function relativeDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length);
  let difference = 0;
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
    if (Number.isNaN(got[i])) return NaN;
  }
  return difference / largest;
}

/**
 * Asserts the operation's values, and the gradient of a randomly weighted sum of them against central differences of the
 * reference. Asserts that nothing leaks.
 */
export function expectOperation({
  inputs,
  trainable = [],
  differentiate = inputs.map((_, i) => i),
  operation,
  reference,
  tolerance = 5e-5,
}: OperationCheck): void {
  const before = tf.memory().numTensors;
  const tensors = inputs.map(({ shape, data }, i) => {
    const tensor = tf.tensor([...data], shape, 'float32');
    if (!trainable.includes(i)) return tensor;
    const variable = tf.variable(tensor);
    tensor.dispose();
    return variable;
  });
  const values = inputs.map(({ data }) => [...data]);
  const expected = reference(...values);
  const weights = randomValues([expected.length], 99).data;

  const result = operation(...tensors);
  expect(relativeDifference(result.dataSync(), expected)).toBeLessThan(tolerance);
  const dy = tf.tensor([...weights], result.shape, 'float32');
  const chosen = differentiate.map((i) => tensors[i]!);
  const gradients = tf.grads((...xs: tf.Tensor[]) =>
    operation(...tensors.map((tensor, i) => xs[differentiate.indexOf(i)] ?? tensor)),
  )(chosen, dy);
  for (const [k, i] of differentiate.entries()) {
    expect(gradients[k]!.shape).toEqual(inputs[i]!.shape);
    const numeric = centralDifferences(values, i, (...changed) => dot(reference(...changed), weights));
    expect(relativeDifference(gradients[k]!.dataSync(), numeric), `gradient of input ${i}`).toBeLessThan(tolerance);
  }
  tf.dispose([result, dy, gradients, tensors]);
  expect(tf.memory().numTensors).toBe(before);
}

/** Derivatives of a scalar function with respect to each value of one input. */
export function centralDifferences(
  inputs: readonly (readonly number[])[],
  which: number,
  scalar: (...inputs: number[][]) => number,
  step = 1e-4,
): number[] {
  return inputs[which]!.map((_, at) => {
    const shifted = (by: number) =>
      scalar(...inputs.map((input, i) => input.map((value, k) => (i === which && k === at ? value + by : value))));
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
