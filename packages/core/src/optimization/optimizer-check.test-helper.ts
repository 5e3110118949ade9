// Parameters and gradients for tests of optimizers.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Optimizer } from './optimizer.js';

/** Variables of random values by name. The caller disposes. */
export function randomParameters(shapes: Record<string, number[]>, seed = 1): Map<string, tf.Variable> {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tf.tidy(() => tf.variable(randomTensor(shape, `${seed} ${name}`))),
    ]),
  );
}

export function randomTensor(shape: number[], label: string): tf.Tensor {
  const random = Random.fromSeed(11).fork(label);
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
}

/** Steps `from` to `to` with gradients that depend on the step and the name alone. */
export function takeSteps(
  optimizer: Optimizer,
  parameters: ReadonlyMap<string, tf.Variable>,
  from: number,
  to: number,
  learningRate = 0.1,
): void {
  for (let step = from; step < to; step++) {
    const gradients = new Map(
      [...parameters].map(([name, variable]) => [variable, randomTensor(variable.shape, `${step} ${name}`)]),
    );
    optimizer.step(gradients, learningRate);
    tf.dispose([...gradients.values()]);
  }
}

export function valuesOf(parameters: ReadonlyMap<string, tf.Variable>): Record<string, number[]> {
  return Object.fromEntries([...parameters].map(([name, variable]) => [name, [...variable.dataSync()]]));
}
