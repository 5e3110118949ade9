// The baseline: a LoRA adapter of the reasoner trained by reward.
import { Random } from '@memgen/common';
import { LoraAdapter, startBackend, type Decoder } from '@memgen/core';
import { disposeGradients } from '@memgen/core';
import { loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { trainAdapterGrpo, type AdapterGrpoOptions } from './adapter-grpo.js';
import { adapterLogProbabilities, adapterObjective } from './adapter-objective.js';
import { answerPrompts, type PolicyPrompt } from './answer-prompts.js';
import { labelledEpisode } from './episode.js';
import { parameterValues } from './reference-values.js';
import type { CompletionReward } from './score-completions.js';

const tokenizer = smallTokenizer();
const prompts = [1, 2, 3, 4].map((seed): PolicyPrompt<null> => ({ ids: randomIds(3 + seed, seed), task: null }));
const upper: CompletionReward<null> = {
  name: 'upper',
  score: (samples) => samples.map(({ ids }) => ({ value: ids.filter((id) => id >= 16).length / ids.length })),
};

let decoder: Decoder;
let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  folder = await mkdtemp(join(tmpdir(), 'memgen-adapter-grpo-'));
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

const newAdapter = (seed = 1) =>
  LoraAdapter.initialize(decoder.config, { r: 4, alpha: 8, targetModules: 'all-linear' }, Random.fromSeed(seed));

const fast: AdapterGrpoOptions<null> = {
  rewards: [upper],
  groupSize: 8,
  promptsPerStep: 2,
  maxCompletionLength: 5,
  batchSize: 16,
  steps: 30,
  schedule: { kind: 'constant', peak: 0.02 },
  seed: 2,
};

describe('trainAdapterGrpo', () => {
  it('raises the reward, and goes on as if it had not been interrupted', async () => {
    const rewards: number[] = [];
    const whole = newAdapter();
    await trainAdapterGrpo({ decoder, tokenizer }, whole, prompts, {
      ...fast,
      beta: 0.01,
      onStep: ({ metrics }) => {
        expect(metrics.kl).toBeGreaterThanOrEqual(0);
        rewards.push(metrics.reward!);
      },
    });
    const mean = (part: number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
    expect(mean(rewards.slice(-5)) - mean(rewards.slice(0, 5))).toBeGreaterThan(0.2);

    const controller = new AbortController();
    const first = newAdapter();
    const reference = await parameterValues(first.parameters());
    await trainAdapterGrpo({ decoder, tokenizer }, first, prompts, {
      ...fast,
      beta: 0.01,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 28) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: (step, optimizer) => saveTrainingState(folder, step, optimizer, first.parameters()),
      },
    });
    const second = newAdapter(7);
    const { values, ...resume } = await loadTrainingState(folder);
    restoreValues(values, second.parameters());
    await trainAdapterGrpo({ decoder, tokenizer }, second, prompts, { ...fast, beta: 0.01, reference, resume });
    expect(resume.step).toBe(28);
    expect(await parameterValues(second.parameters())).toEqual(await parameterValues(whole.parameters()));
    for (const adapter of [whole, first, second]) adapter.dispose();
  }, 60_000);

  it('refuses a greedy policy', async () => {
    const adapter = newAdapter();
    const run = trainAdapterGrpo({ decoder, tokenizer }, adapter, prompts, { ...fast, temperature: 0 });
    await expect(run).rejects.toMatchObject({ where: 'temperature' });
    adapter.dispose();
  });
});

describe('adapterObjective', () => {
  it('has the probabilities that generation drew from, and the slope of the loss along each gradient', async () => {
    const adapter = newAdapter();
    for (const { b } of adapter.modules.values()) {
      tf.tidy(() => {
        b.assign(tf.randomNormal(b.shape, 0, 0.2, 'float32', 5));
      });
    }
    const episodes = await answerPrompts({ decoder, tokenizer }, prompts, Random.fromSeed(1), {
      adapter,
      groupSize: 2,
      maxCompletionLength: 6,
    });
    const sequences = episodes.map(labelledEpisode);
    const { logProbabilities } = await adapterLogProbabilities(decoder, sequences, { adapter });
    logProbabilities.forEach((row, b) => {
      const drawn = episodes[b]!.turns[0]!.logProbabilities!;
      expect(row.length).toBe(drawn.length);
      row.forEach((value, t) => {
        expect(Math.abs(value - drawn[t]!)).toBeLessThan(1e-4);
      });
    });

    const rows = sequences.map((sequence, b) => ({
      sequence,
      advantage: b % 2 === 0 ? 1 : -0.5,
      old: episodes[b]!.turns[0]!.logProbabilities!,
    }));
    const { gradients } = await adapterObjective(decoder, rows, { adapter });
    expect(new Set(gradients.keys())).toEqual(new Set(adapter.parameters().values()));
    for (const [name, variable] of adapter.parameters()) {
      const [gradient, kept] = [gradients.get(variable)!, variable.clone()];
      const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!);
      const lossAt = async (step: number) => {
        tf.tidy(() => {
          variable.assign(tf.add(kept, tf.mul(gradient, step / norm)));
        });
        const result = await adapterObjective(decoder, rows, { adapter, gradientCheckpointing: false });
        disposeGradients(result.gradients);
        return result.loss;
      };
      const slope = ((await lossAt(5e-3)) - (await lossAt(-5e-3))) / 1e-2;
      variable.assign(kept);
      kept.dispose();
      expect(Math.abs(slope - norm), name).toBeLessThan(0.04 * norm + 2e-4);
    }
    disposeGradients(gradients);
    adapter.dispose();
  });
});
