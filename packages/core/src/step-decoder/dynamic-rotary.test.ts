// Rows longer than the context of a model whose rotation follows their length.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { StepDecoder } from './step-decoder.js';

beforeAll(async () => {
  await startBackend({ backend: 'cpu' });
});

it('are rotated as the decoder rotates them, however they are read', async () => {
  const scaling = { rope_type: 'dynamic', factor: 4 };
  const decoder = await frozenDecoder(tinyConfig({ max_position_embeddings: 16, rope_scaling: scaling }));
  const plain = await frozenDecoder(tinyConfig({ max_position_embeddings: 16 }));
  const step = await StepDecoder.create(decoder);
  const stepCache = step.createCache(2);
  const [cache, plainCache] = [decoder.createCache(2), plain.createCache(2)];
  // The shorter row stays within the context when the other has left it.
  for (const [i, counts] of [
    [10, 4],
    [8, 1],
    [1, 1],
    [30, 0],
  ].entries()) {
    // prettier-ignore
    const width = Math.max(...counts);
    const rows = counts.map((count, b) => randomIds(count, 10 * i + b));
    const padded = rows.map((ids) => [...ids, ...Array.from({ length: width - ids.length }, () => 0)]);
    const mask = counts.map((count) => Array.from({ length: width }, (_, t) => (t < count ? 1 : 0)));
    const real = (hidden: Float32Array) =>
      counts.flatMap((count, b) => [...hidden.subarray(b * width * 16, (b * width + count) * 16)]);
    const read = (from: typeof decoder, to: typeof cache) =>
      real(tf.tidy(() => from.forward(from.embed(padded.flat()), mask, { cache: to }).dataSync<'float32'>()));
    const expected = read(decoder, cache);
    const hidden = step.read(step.embed(rows.flat()), counts, stepCache);
    expect(relativeDifference(hidden, expected)).toBeLessThan(1e-5);
    const difference = relativeDifference(read(plain, plainCache), expected);
    if (i === 0) expect(difference).toBe(0);
    else expect(difference).toBeGreaterThan(1e-3);
  }
  for (const owner of [step, cache, plainCache, decoder, plain]) owner.dispose();
});
