// Whether a weaver was ever trained, and the refusal to train a trigger over one that was not.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alignmentTo, LatentWeaver, type InitializationStyle } from '../../../weaver/src/index.js';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { AdamW } from '../optimization/index.js';
import { trainingLoss } from './training-loss.js';
import { requireTrainedWeaver, type Weaver } from './weaver.js';
import { wovenRow } from './woven-rows.test-helper.js';

let decoder: Decoder;
let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  folder = await mkdtemp(join(tmpdir(), 'memgen-weaver-'));
});
afterAll(async () => {
  decoder.dispose();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

async function newWeaver(initialization: InitializationStyle = 'reference'): Promise<LatentWeaver> {
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
  const alignment = await alignmentTo(decoder, { queryIds: [1, 2] });
  return LatentWeaver.initialize(decoder, 16, { lora, initialization, alignment }, Random.fromSeed(1));
}

async function train(weaver: Weaver, learningRate: number): Promise<void> {
  const optimizer = new AdamW(weaver.parameters());
  const { gradients } = await trainingLoss(decoder, [wovenRow(9, 4, [6], 1)], { weaver });
  optimizer.step(gradients, learningRate);
  tf.dispose([...gradients.values()]);
  optimizer.dispose();
}

const refusal = expect.objectContaining({ code: 'weaver-untrained' }) as Error;

describe('requireTrainedWeaver', () => {
  it.each(['reference', 'small', 'aligned'] as const)('refuses a new weaver that starts %s', async (style) => {
    const weaver = await newWeaver(style);
    await expect(requireTrainedWeaver(weaver)).rejects.toEqual(refusal);
    await expect(requireTrainedWeaver(weaver)).rejects.toThrow('allowUntrainedWeaver');
    await expect(requireTrainedWeaver(weaver, { allowUntrainedWeaver: true })).resolves.toBeUndefined();
    weaver.dispose();
  });

  it('lets a weaver pass from its first update on, but not after a step whose learning rate is 0', async () => {
    const weaver = await newWeaver();
    await train(weaver, 0);
    await expect(requireTrainedWeaver(weaver)).rejects.toEqual(refusal);
    await train(weaver, 1e-5);
    await expect(requireTrainedWeaver(weaver)).resolves.toBeUndefined();
    weaver.dispose();
  });

  it('is not misled by files: what they hold counts', async () => {
    const weaver = await newWeaver();
    for (const rate of [0, 1e-5]) {
      await train(weaver, rate);
      await weaver.save(folder);
      const loaded = await LatentWeaver.load(folder, decoder);
      expect(await loaded.isTrained()).toBe(rate > 0);
      loaded.dispose();
    }
    weaver.dispose();
  });

  it('believes a weaver that cannot tell', async () => {
    const weaver = await newWeaver();
    const silent: Weaver = {
      latentCounts: weaver.latentCounts,
      parameters: () => weaver.parameters(),
      begin: (options) => weaver.begin(options),
      save: (path) => weaver.save(path),
      dispose: () => {
        weaver.dispose();
      },
    };
    await expect(requireTrainedWeaver(silent)).resolves.toBeUndefined();
    silent.dispose();
  });
});
