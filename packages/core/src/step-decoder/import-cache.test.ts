// A prompt read by the decoder goes on in the step decoder.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import type { KeyValueCache } from '../model/key-value-cache.js';
import { architectures, frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { StepDecoder } from './step-decoder.js';
import { lastHidden } from './step-decoder.test-helper.js';

let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'cpu' });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** Reads prompts padded on the left, then a column that only some rows have, as weaving does. */
function prefill(decoder: Decoder, prompts: readonly (readonly number[])[], more: readonly number[]): KeyValueCache {
  const width = Math.max(...prompts.map((ids) => ids.length));
  const missing = prompts.map((ids) => Array.from({ length: width - ids.length }, () => 0));
  const cache = decoder.createCache(prompts.length);
  tf.tidy(() => {
    const ids = prompts.flatMap((ids, b) => [...missing[b]!, ...ids]);
    decoder.forward(
      decoder.embed(ids),
      prompts.map((ids, b) => [...missing[b]!, ...ids.map(() => 1)]),
      { cache },
    );
    decoder.forward(decoder.embed(prompts.map(() => 9)), more.map((real) => [real]), { cache }); // prettier-ignore
  });
  return cache;
}

describe('importCache', () => {
  it.each(architectures)('takes over real columns of a padded batch: %o', async (changes) => {
    const decoder = await frozenDecoder(tinyConfig(changes));
    const step = await StepDecoder.create(decoder);
    const prompts = [randomIds(40, 1), randomIds(3, 2), randomIds(31, 3)];
    const source = prefill(decoder, prompts, [1, 0, 1]);
    const cache = await step.importCache(source);
    expect(cache.lengths).toEqual([41, 3, 32]);
    const rows = [[...prompts[0]!, 9], prompts[1]!, [...prompts[2]!, 9]];
    const added = [randomIds(2, 4), randomIds(1, 5), randomIds(4, 6)];
    const hidden = step.read(step.embed(added.flat()), [2, 1, 4], cache);
    const whole = rows.map((ids, b) => [...ids, ...added[b]!]);
    expect(relativeDifference(hidden, lastHidden(decoder, whole, [2, 1, 4]))).toBeLessThan(1e-5);
    // The source is as it was.
    expect(source.layer(1).keys[0]!.isDisposed).toBe(false);
    source.dispose();
    step.dispose();
    decoder.dispose();
  });

  it('takes over a cache that is still empty', async () => {
    const decoder = await frozenDecoder(tinyConfig());
    const step = await StepDecoder.create(decoder);
    const cache = await step.importCache(decoder.createCache(3));
    expect(cache.lengths).toEqual([0, 0, 0]);
    step.dispose();
    decoder.dispose();
  });

  it('refuses caches in parts and of other models, and leaks nothing', async () => {
    const decoder = await frozenDecoder(tinyConfig());
    const step = await StepDecoder.create(decoder);
    const memory = step.memoryBytes;
    const refused = expect.objectContaining({ code: 'step-decoder-cache' });
    await expect(step.importCache(decoder.createCache(1, 'parts'))).rejects.toThrow(refused);
    for (const changes of [{ num_key_value_heads: 4 }, { head_dim: 8 }, { num_hidden_layers: 1 }]) {
      const other = await frozenDecoder(tinyConfig(changes));
      const source = prefill(other, [[1, 2, 3]], [1]);
      await expect(step.importCache(source)).rejects.toThrow(refused);
      source.dispose();
      other.dispose();
    }
    const source = prefill(decoder, [[1, 2, 3]], [1]);
    source.dispose();
    await expect(step.importCache(source)).rejects.toThrow(refused);
    expect(step.memoryBytes).toBe(memory);
    step.dispose();
    decoder.dispose();
  });
});
