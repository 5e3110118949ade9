// Training over many turns: rewards of environments rise, interruption changes nothing, environments are disposed.
import { Random } from '@memgen/common';
import { LoraAdapter, startBackend, type Decoder, type Weaver } from '@memgen/core';
import { loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { trainAdapterGrpo } from './adapter-grpo.js';
import type { EnvironmentTasks } from './episode-source.js';
import { parameterValues } from './reference-values.js';
import { CountingEnvironment, type CountingTask } from './test-environments.test-helper.js';
import { trainTriggerGrpo } from './trigger-grpo.js';
import { trainWeaverGrpo, type WeaverGrpoOptions } from './weaver-grpo.js';

const tokenizer = smallTokenizer();
let decoder: Decoder;
let folder: string;
let before: number;
let environments: CountingEnvironment[];

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  const vocabulary = tokenizer.vocabularySize;
  decoder = await frozenDecoder(
    tinyConfig({ vocab_size: vocabulary, num_hidden_layers: 1, max_position_embeddings: 512 }),
  );
  folder = await mkdtemp(join(tmpdir(), 'memgen-episodes-'));
});
afterAll(async () => {
  decoder.dispose();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
  environments = [];
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
  expect(environments.every(({ isDisposed }) => isDisposed)).toBe(true);
});

/** Share of the text that is plain letters and digits. */
const letters = (text: string) => (text === '' ? 0 : text.replaceAll(/[^0-9A-Za-z]/g, '').length / text.length);

function twoTurns(): EnvironmentTasks<CountingTask> {
  return {
    tasks: ['a', 'b', 'c'].map((name): CountingTask => ({ name, turns: 2, reward: letters })),
    environment: () => {
      environments.push(new CountingEnvironment());
      return environments.at(-1)!;
    },
  };
}

const fast: WeaverGrpoOptions<CountingTask> = {
  groupSize: 4,
  promptsPerStep: 2,
  maxCompletionLength: 4,
  steps: 4,
  batchSize: 8,
  schedule: { kind: 'constant', peak: 0.03 },
  seed: 2,
};

const rise = (rewards: readonly number[]) => {
  const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
  return mean(rewards.slice(-5)) - mean(rewards.slice(0, 5));
};

describe('training over two turns', () => {
  it('raises the reward of the environment by a weaver', async () => {
    const weaver = tinyWeaver(decoder);
    const rewards: number[] = [];
    await trainWeaverGrpo({ decoder, tokenizer }, weaver, twoTurns(), {
      ...fast,
      groupSize: 8,
      steps: 18,
      onStep: ({ metrics, rollout: { episodes } }) => {
        rewards.push(metrics['rewards/environment/mean']!);
        expect(metrics['episodes/mean_turns']).toBe(2);
        // Observations are no actions.
        expect(metrics.actions).toBe(episodes.flatMap(({ turns }) => turns.flatMap(({ ids }) => ids)).length);
      },
    });
    weaver.dispose();
    expect(environments).toHaveLength(16);
    expect(rise(rewards)).toBeGreaterThan(0.2);
  }, 60_000);

  it('goes on to the same weights to the bit', async () => {
    const whole = tinyWeaver(decoder);
    await trainWeaverGrpo({ decoder, tokenizer }, whole, twoTurns(), fast);
    const first: Weaver = tinyWeaver(decoder);
    const controller = new AbortController();
    await trainWeaverGrpo({ decoder, tokenizer }, first, twoTurns(), {
      ...fast,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 2) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: (step, optimizer) => saveTrainingState(folder, step, optimizer, first.parameters()),
      },
    });
    const second = tinyWeaver(decoder, { seed: 5 });
    const { values, ...resume } = await loadTrainingState(folder);
    restoreValues(values, second.parameters());
    await trainWeaverGrpo({ decoder, tokenizer }, second, twoTurns(), { ...fast, resume });
    expect(resume.step).toBe(2);
    expect(await parameterValues(second.parameters())).toEqual(await parameterValues(whole.parameters()));
    for (const weaver of [whole, first, second]) weaver.dispose();
  });

  it('trains a trigger on the decisions of all turns', async () => {
    const weaver = tinyWeaver(decoder);
    const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
    const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(3));
    const start = await parameterValues(trigger.parameters());
    await trainTriggerGrpo({ decoder, tokenizer }, trigger, twoTurns(), {
      ...fast,
      weaver,
      temperature: 0,
      maxInferencePoints: 0,
      penalty: { lambda: 0.1 },
      onStep: ({ metrics, rollout: { episodes } }) => {
        expect(metrics['augmentations/min_length']).toBe(2);
        expect(metrics.actions).toBe(2 * episodes.length);
        expect(metrics.weave_rate).toBeGreaterThan(0);
      },
    });
    expect(await parameterValues(trigger.parameters())).not.toEqual(start);
    trigger.dispose();
    weaver.dispose();
  });

  it('raises the reward by an adapter of the reasoner, and goes on past an environment that fails', async () => {
    const adapter = LoraAdapter.initialize(
      decoder.config,
      { r: 4, alpha: 8, targetModules: 'all-linear' },
      Random.fromSeed(1),
    );
    const tasks = twoTurns();
    const rewards: number[] = [];
    const warnings: string[] = [];
    await trainAdapterGrpo({ decoder, tokenizer }, adapter, { ...tasks, tasks: [...tasks.tasks, { name: 'unknown', turns: 2 }] }, {
      ...fast,
      groupSize: 8,
      steps: 30,
      logger: { debug: () => undefined, info: () => undefined, warn: (message) => void warnings.push(message) },
      onStep: ({ metrics }) => void rewards.push(metrics.reward!),
    }); // prettier-ignore
    adapter.dispose();
    expect(rise(rewards)).toBeGreaterThan(0.3);
    expect(warnings[0]).toMatch(/8 of 16 completions have no reward; "environment".*there is no such task/);
  }, 60_000);
});
