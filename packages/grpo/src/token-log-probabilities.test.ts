// Log-probabilities, entropies and gradients against plain JavaScript in float64, for every size of chunks.
import { startBackend } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  centralDifferences,
  randomValues,
  relativeDifference,
} from '../../core/src/ops/operation-check.test-helper.js';
import { tokenLogProbabilities } from './token-log-probabilities.js';

const [rows, size, vocabulary, temperature] = [5, 3, 7, 0.7];
const ids = [6, 0, 3, 3, 1];
const hidden = randomValues([rows, size], 1);
const head = randomValues([size, vocabulary], 2);

/** `[log p(token), entropy]` of each row. */
function reference(hidden: readonly number[]): [number, number][] {
  return ids.map((id, row) => {
    const logits = Array.from({ length: vocabulary }, (_, token) => {
      let logit = 0;
      for (let i = 0; i < size; i++) logit += hidden[row * size + i]! * head.data[i * vocabulary + token]!;
      return logit / temperature;
    });
    const largest = Math.max(...logits);
    const logTotal = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    return [
      logits[id]! - logTotal,
      logits.reduce((sum, logit) => sum - Math.exp(logit - logTotal) * (logit - logTotal), 0),
    ];
  });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('tokenLogProbabilities', () => {
  it.each([1, 2, 5, 128])('equals plain softmax in chunks of %i rows, and leaves nothing behind', (chunkRows) => {
    const before = tf.memory().numTensors;
    const [x, w] = [tf.tensor2d([...hidden.data], [rows, size]), tf.tensor2d([...head.data], [size, vocabulary])];
    const result = tokenLogProbabilities(x, ids, w, { temperature, withGradients: true, chunkRows });
    const expected = reference(hidden.data);
    const [probabilities, entropies] = [result.logProbabilities.dataSync(), result.entropies.dataSync()];
    expect(relativeDifference(probabilities, expected.map(([value]) => value))).toBeLessThan(2e-5); // prettier-ignore
    expect(relativeDifference(entropies, expected.map(([, entropy]) => entropy))).toBeLessThan(2e-5); // prettier-ignore

    // Each row's own gradient: that of the sum, since rows do not depend on each other.
    const slopes = centralDifferences([hidden.data], 0, (values) => reference(values).reduce((sum, [x]) => sum + x, 0));
    expect(relativeDifference(result.hiddenGradients!.dataSync(), slopes)).toBeLessThan(5e-5);
    tf.dispose([x, w, Object.values(result)]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('computes no gradient unasked, and does not overflow', () => {
    const x = tf.tensor2d(hidden.data.map((value) => value * 1000), [rows, size]); // prettier-ignore
    const w = tf.tensor2d([...head.data], [size, vocabulary]);
    const result = tokenLogProbabilities(x, ids, w);
    expect(result.hiddenGradients).toBeUndefined();
    expect(result.logProbabilities.dataSync().every(Number.isFinite)).toBe(true);
    expect(result.entropies.dataSync().every((entropy) => entropy >= 0 && entropy < 0.1)).toBe(true);
    tf.dispose([x, w, result.logProbabilities, result.entropies]);
  });
});
