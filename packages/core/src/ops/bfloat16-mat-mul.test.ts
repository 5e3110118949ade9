// Products in bfloat16 against products in float32, where TensorFlow is installed.
import { MemGenError, Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { bfloat16MatMul, requireBfloat16, toBfloat16 } from './bfloat16-mat-mul.js';

const found = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

function normal(rows: number, columns: number): tf.Tensor2D {
  const random = Random.fromSeed(rows);
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );
}

/** Largest difference in units of the deviation of `expected`. */
function error(got: tf.Tensor, expected: tf.Tensor): number {
  return tf.tidy(
    () => tf.max(tf.abs(tf.sub(got, expected))).dataSync()[0]! / Math.sqrt(tf.mean(tf.square(expected)).dataSync()[0]!),
  );
}

describe.skipIf(!found)('bfloat16MatMul (needs the tensorflow backend)', () => {
  it.each([
    [1, 8, 8],
    [3, 65, 17],
    [64, 576, 192],
  ])('is near the product in float32 for [%i, %i] by [%i, %i], both ways', (rows, inputs, outputs) => {
    const before = tf.memory().numTensors;
    const [x, w, dy] = [normal(rows, inputs), normal(inputs, outputs), normal(rows, outputs)];
    const low = toBfloat16(w);
    tf.tidy(() => {
      expect(error(bfloat16MatMul(x, low), tf.matMul(x, w))).toBeLessThan(2e-2);
      expect(error(bfloat16MatMul(dy, low, true), tf.matMul(dy, w, false, true))).toBeLessThan(2e-2);
    });
    tf.dispose([x, w, dy, low]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is exact where all numbers are, and has the gradient of a product', () => {
    tf.tidy(() => {
      const [x, w] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[0.5], [-4]])]; // prettier-ignore
      const low = toBfloat16(w);
      expect(bfloat16MatMul(x, low).arraySync()).toEqual([[-7.5]]);
      const gradient = tf.grad((input) => tf.sum(bfloat16MatMul(input as tf.Tensor2D, low)));
      expect(gradient(x).arraySync()).toEqual([[0.5, -4]]);
    });
  });

  it('keeps nothing of TensorFlow that tfjs does not count', () => {
    const [x, w] = [normal(4, 4), normal(4, 4)];
    const low = toBfloat16(w);
    const binding = (tf.backend() as unknown as { binding: { getNumOfTensors?: () => number } }).binding;
    const count = () => binding.getNumOfTensors?.() ?? 0;
    bfloat16MatMul(x, low).dispose();
    const before = count();
    for (let i = 0; i < 10; i++) bfloat16MatMul(x, low).dispose();
    expect(count()).toBe(before);
    tf.dispose([x, w, low]);
  });
});

it('is refused by name where the backend has none', async () => {
  await startBackend({ backend: 'cpu' });
  expect(requireBfloat16).toThrow(MemGenError);
  expect(requireBfloat16).toThrow(/bfloat16/);
});
