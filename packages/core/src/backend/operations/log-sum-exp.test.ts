// logSumExp against its definition, its gradient, and large logits, on each backend.
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../start-backend.js';
import { logSumExp } from './log-sum-exp.js';

describe.each(['cpu', 'wasm'] as const)('logSumExp on %s', (backend) => {
  it('is the definition, also for large and very unequal logits', async () => {
    await startBackend({ backend });
    const before = tf.memory().numTensors;
    const result = tf.tidy(() =>
      logSumExp(tf.tensor3d([[[0, 0, 0, 0]], [[1000, 1000, -1000, 0]], [[-5, 3, 2, -1]]])).dataSync(),
    );
    const wanted = [Math.log(4), 1000 + Math.log(2), Math.log(Math.exp(-5) + Math.exp(3) + Math.exp(2) + Math.exp(-1))];
    for (const [index, value] of wanted.entries()) expect(result[index]).toBeCloseTo(value, 4);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has the softmax as its gradient', async () => {
    await startBackend({ backend });
    const before = tf.memory().numTensors;
    const difference = tf.tidy(() => {
      const logits = tf.tensor2d([
        [1, -2, 0.5],
        [3, 3, 0],
      ]);
      const weights = tf.tensor1d([2, -1]);
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(logSumExp(x), weights)))(logits);
      const wanted = tf.mul(tf.softmax(logits), tf.tensor2d([[2], [-1]]));
      return tf.max(tf.abs(tf.sub(gradient, wanted))).dataSync()[0];
    });
    expect(difference).toBeLessThan(1e-6);
    expect(tf.memory().numTensors).toBe(before);
  });
});
