// A step decoder whose matrices stay with TensorFlow, against the decoder itself.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { architectures, frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { StepDecoder } from './step-decoder.js';
import { lastHidden, logitsOf } from './step-decoder.test-helper.js';

const found = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

describe.skipIf(!found)('a step decoder on TensorFlow (needs the tensorflow backend)', () => {
  let before: number;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  const cases = architectures.flatMap((changes) => (['borrowed', 'both'] as const).map((matrices) => ({ matrices, changes }))); // prettier-ignore

  it.each(cases)('reads as the decoder does, with matrices $matrices, of $changes', async ({ matrices, changes }) => {
    const decoder = await frozenDecoder(tinyConfig(changes));
    const step = await StepDecoder.create(decoder, { matrices });
    const cache = step.createCache(2);
    const rows = [randomIds(45, 1), randomIds(45, 2)];
    const ends = [0, 0];
    for (const counts of [
      [40, 3],
      [1, 1],
      [4, 0],
    ]) {
      const inputs = step.embed(rows.flatMap((ids, b) => ids.slice(ends[b], ends[b]! + counts[b]!)));
      const hidden = step.read(inputs, counts, cache).slice();
      counts.forEach((count, b) => (ends[b]! += count));
      const expected = lastHidden(decoder, rows.map((ids, b) => ids.slice(0, ends[b])), counts); // prettier-ignore
      expect(relativeDifference(hidden, expected)).toBeLessThan(1e-5);
      const last = expected.subarray(-decoder.config.hiddenSize);
      const logits = step.logits([hidden.length / decoder.config.hiddenSize - 1]);
      expect(relativeDifference(logits, logitsOf(decoder, last))).toBeLessThan(1e-5);
    }
    step.dispose();
    decoder.dispose();
  });

  it('takes no memory for the matrices unless asked to', async () => {
    const config = tinyConfig({ vocab_size: 2000, hidden_size: 64, intermediate_size: 128 });
    const decoder = await frozenDecoder(config);
    const borrowed = await StepDecoder.create(decoder, { matrices: 'borrowed' });
    const copied = await StepDecoder.create(decoder, { matrices: 'both' });
    expect(copied.memoryBytes - borrowed.memoryBytes).toBeGreaterThan(4 * 64 * 2000);
    const ids = randomIds(5, 3, 2000);
    expect([...borrowed.embed(ids)]).toEqual([...copied.embed(ids)]);
    const logits = [borrowed, copied].map((step) => {
      step.read(step.embed(ids), [5], step.createCache(1));
      return step.logits([4]).slice();
    });
    expect(relativeDifference(logits[0]!, logits[1]!)).toBeLessThan(1e-5);
    borrowed.dispose();
    copied.dispose();
    decoder.dispose();
  });
});
