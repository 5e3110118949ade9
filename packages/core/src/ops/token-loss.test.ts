// Token loss against an unchunked cross entropy in plain JavaScript.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { expectOperation, randomValues, relativeDifference } from './operation-check.test-helper.js';
import { tokenLoss, tokenLossWithGradients } from './token-loss.js';

const [rows, size, vocabulary] = [5, 3, 7];
const labels = [6, 0, 3, 3, 1];

function crossEntropySum(hidden: number[], head: number[]): number[] {
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const logits = Array.from({ length: vocabulary }, (_, token) => {
      let logit = 0;
      for (let i = 0; i < size; i++) logit += hidden[row * size + i]! * head[i * vocabulary + token]!;
      return logit;
    });
    const largest = Math.max(...logits);
    total += largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    total -= logits[labels[row]!]!;
  }
  return [total];
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('tokenLoss', () => {
  const inputs = [randomValues([rows, size], 1), randomValues([size, vocabulary], 2)];
  const reference = crossEntropySum as (...inputs: number[][]) => number[];

  it.each([1, 2, 5, 256])('equals the whole cross entropy in chunks of %i rows, under a frozen head', (chunkRows) => {
    const operation = (hidden: tf.Tensor, head: tf.Tensor) =>
      tokenLoss(hidden as tf.Tensor2D, labels, head as tf.Tensor2D, { chunkRows });
    expectOperation({ inputs, differentiate: [0], operation, reference });
  });

  it.each([1, 2, 4, 5])('gives a trainable head its gradient too, in chunks of %i rows', (chunkRows) => {
    const operation = (hidden: tf.Tensor, head: tf.Tensor) =>
      tokenLoss(hidden as tf.Tensor2D, labels, head as tf.Tensor2D, { chunkRows });
    expectOperation({ inputs, trainable: [1], operation, reference });
  });

  it('does not overflow for large logits', () => {
    const large = { shape: [rows, size], data: inputs[0]!.data.map((value) => Math.fround(value * 300)) };
    const operation = (hidden: tf.Tensor, head: tf.Tensor) =>
      tokenLoss(hidden as tf.Tensor2D, labels, head as tf.Tensor2D);
    expectOperation({ inputs: [large, inputs[1]!], differentiate: [0], operation, reference, tolerance: 1e-4 });
  });
});

describe('tokenLossWithGradients', () => {
  it('returns what tokenLoss and its gradient are, and a gradient of the head only if that is trainable', () => {
    const before = tf.memory().numTensors;
    const hidden = tf.tensor2d([...randomValues([rows, size], 3).data], [rows, size]);
    const frozen = tf.tensor2d([...randomValues([size, vocabulary], 4).data], [size, vocabulary]);
    const trainable = tf.variable(frozen);
    const result = tokenLossWithGradients(hidden, labels, frozen, { chunkRows: 2 });
    const trained = tokenLossWithGradients(hidden, labels, trainable, { chunkRows: 2 });
    const tape = tf.valueAndGrads((h: tf.Tensor, w: tf.Tensor) =>
      tokenLoss(h as tf.Tensor2D, labels, w as tf.Tensor2D),
    )([hidden, trainable]);

    expect(result.headGradient).toBeUndefined();
    expect(relativeDifference(result.loss.dataSync(), tape.value.dataSync())).toBeLessThan(1e-6);
    expect(relativeDifference(result.hiddenGradient.dataSync(), tape.grads[0]!.dataSync())).toBeLessThan(1e-6);
    expect(trained.headGradient!.shape).toEqual([size, vocabulary]);
    expect(relativeDifference(trained.headGradient!.dataSync(), tape.grads[1]!.dataSync())).toBeLessThan(1e-6);
    tf.dispose([hidden, frozen, trainable, Object.values(result), Object.values(trained), tape.value, tape.grads]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
