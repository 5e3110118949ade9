// Training every weight: the same bits as pre-training on the same batches, the same loop as the other trainers.
import { decoderParameters, startBackend, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig, trainableDecoder } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { sequenceLoss } from './adapter-sft.js';
import { muonWithAdamW, trainDecoder } from './full-sft.js';
import { pretrain } from './pretraining.js';
import { plainRows, valuesOf } from './sft-rows.test-helper.js';

let before: number;
beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const newDecoder = () => trainableDecoder(tinyConfig({ num_hidden_layers: 1, tie_word_embeddings: true }));
const weightsOf = (decoder: Decoder) => valuesOf(decoderParameters(decoder.weights));
const rates = { muon: { learningRate: 0.02 }, adamW: { learningRate: 0.02 } };

describe('trainDecoder', () => {
  it('takes the steps of pre-training, to the bit', async () => {
    const [one, two] = [newDecoder(), newDecoder()];
    const size = 2;
    await pretrain(one, {
      ...rates,
      steps: 4,
      schedule: { kind: 'linear' },
      batch: (step) => plainRows.slice(size * (step % 2), size * (step % 2) + size),
    });
    await trainDecoder(two, plainRows, {
      batchSize: size,
      shuffle: false,
      schedule: { kind: 'linear', peak: 1 },
      optimizer: () => muonWithAdamW(two, rates),
    });
    expect(weightsOf(two)).toEqual(weightsOf(one));
    one.dispose();
    two.dispose();
  });

  it('accumulates, evaluates, goes on from its checkpoints and learns', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'memgen-full-'));
    const common = { schedule: { kind: 'constant', peak: 0.02 }, adamW: { epsilon: 1e-3 }, steps: 6 } as const;
    const whole = newDecoder();
    const { loss: initial } = await sequenceLoss(whole, plainRows);
    const evaluation = { rows: plainRows, every: 3 };
    const { best } = await trainDecoder(whole, plainRows, { ...common, evaluation });
    expect(best).toEqual({ step: 6, loss: (await sequenceLoss(whole, plainRows)).loss });
    expect(best!.loss).toBeLessThan(0.8 * initial);

    const parts = newDecoder();
    const controller = new AbortController();
    const options = { ...common, batchSize: 1, gradientAccumulation: 4, checkpoints: { folder } };
    const stop = ({ step }: { step: number }) => {
      if (step === 4) controller.abort();
    };
    await trainDecoder(parts, plainRows, { ...options, signal: controller.signal, onStep: stop });
    const resumed = newDecoder();
    const steps: number[] = [];
    await trainDecoder(resumed, plainRows, { ...options, onStep: ({ step }) => void steps.push(step) });
    expect(steps).toEqual([5, 6]);
    const expected = weightsOf(whole);
    for (const [name, values] of weightsOf(resumed)) {
      expect(relativeDifference(values, expected.get(name)!), name).toBeLessThan(1e-3);
    }
    for (const decoder of [whole, parts, resumed]) decoder.dispose();
    await rm(folder, { recursive: true });
  });

  it('refuses a loaded decoder, whose weights are frozen', async () => {
    const frozen = await frozenDecoder(tinyConfig());
    await expect(trainDecoder(frozen, plainRows)).rejects.toMatchObject({ code: 'weights-frozen' });
    frozen.dispose();
  });
});
