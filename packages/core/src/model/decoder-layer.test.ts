// The gradient that layers bring with them against tfjs's own, for every weight of every architecture.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { eager, Tape, type Execution } from '../training/index.js';
import { decoderParameters } from './decoder-weights.js';
import type { Decoder } from './decoder.js';
import { architectures, randomIds, tinyConfig, trainableDecoder } from './tiny-decoder.test-helper.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

/**
 * Spans over a cache in parts: left-padded; then a row less, a column that is not kept and one whose hidden state is not
 * wanted; then one more.
 */
function forwardInSpans(decoder: Decoder, execution: Execution): tf.Tensor2D[] {
  const [first, second, third] = execution.constants(() =>
    [randomIds(8, 1), randomIds(3, 2), randomIds(1, 3)].map((ids) => decoder.embed(ids)),
  ) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  const cache = decoder.createCache(2, 'parts');
  return [
    decoder.forward(first, [[0, 1, 1, 1], [1, 1, 1, 1]], { cache, execution }),
    decoder.forward(second, [[1, 1, 1]], { cache, execution, keep: 2, last: 2 }),
    decoder.forward(third, [[1]], { cache, execution }),
  ]; // prettier-ignore
}

describe.each(architectures)('layers of $model_type', (changes) => {
  const config = tinyConfig(changes);

  it.each([true, false])('have the gradients that tfjs finds (checkpointing %s)', (checkpointing) => {
    const before = tf.memory().numTensors;
    const decoder = trainableDecoder(config);
    const parameters = [...decoderParameters(decoder.weights)].filter(([name]) => /^layers|^finalNorm/.test(name));
    const seeds = [8, 2, 1].map((rows, i) =>
      tf.randomNormal<tf.Rank.R2>([rows, config.hiddenSize], 0, 1, 'float32', i),
    );

    const expected = tf.variableGrads(
      () => {
        const sums = forwardInSpans(decoder, eager).map((hidden, i) => tf.sum(tf.mul(hidden, seeds[i]!)));
        return tf.addN(sums).asScalar();
      },
      parameters.map(([, variable]) => variable),
    );
    const tape = new Tape({ checkpointing });
    const outputs = forwardInSpans(decoder, tape);
    const gradients = tape.backward(outputs.map((output, i) => ({ output, gradient: seeds[i]! })));
    tape.dispose();

    expect(gradients.size).toBe(parameters.length);
    for (const [name, variable] of parameters) {
      const want = expected.grads[variable.name]!.dataSync();
      expect(relativeDifference(gradients.get(variable)!.dataSync(), want), name).toBeLessThan(1e-4);
    }
    tf.dispose([expected.value, expected.grads, seeds, [...gradients.values()]]);
    decoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a merged cache', () => {
  it('lets no gradient through', () => {
    const decoder = trainableDecoder(tinyConfig());
    const tape = new Tape();
    const seed = tf.ones<tf.Rank.R2>([2, 16]);
    const [ids] = tape.constants(() => [decoder.embed([1, 2])]) as [tf.Tensor2D];
    const cache = decoder.createCache(1);
    const output = decoder.forward(ids, [[1, 1]], { cache, execution: tape });
    expect(() => tape.backward([{ output, gradient: seed }])).toThrow(
      expect.objectContaining({ code: 'cache-ownership' }),
    );
    tape.dispose();
    cache.dispose();
    seed.dispose();
    decoder.dispose();
  });
});
