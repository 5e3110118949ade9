// Training by reward: rewards rise, interruption and batches change nothing, settings that cannot be used.
import { startBackend, type Decoder, type Weaver } from '@memgen/core';
import { loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import type { RewardFunction } from './score-completions.js';
import { trainWeaverGrpo, type WeaverGrpoOptions } from './weaver-grpo.js';
import type { PolicyPrompt } from './weaver-rollout.js';

const tokenizer = smallTokenizer();
const prompts = [1, 2, 3, 4, 5].map((seed): PolicyPrompt<null> => ({ ids: randomIds(3 + seed, seed), task: null }));
/** Share of the upper half of the vocabulary. */
const upper: RewardFunction<null> = {
  name: 'upper',
  score: ({ ids }) => ids.filter((id) => id >= 16).length / ids.length,
};

let decoder: Decoder;
let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  folder = await mkdtemp(join(tmpdir(), 'memgen-grpo-'));
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

const fast: WeaverGrpoOptions<null> = {
  rewards: [upper],
  groupSize: 4,
  promptsPerStep: 2,
  maxCompletionLength: 5,
  steps: 4,
  batchSize: 8,
  schedule: { kind: 'constant', peak: 0.02 },
  seed: 2,
};

const valuesOf = (weaver: Weaver) =>
  new Map([...weaver.parameters()].map(([name, variable]) => [name, Float32Array.from(variable.dataSync())]));

async function trained(changes: Partial<WeaverGrpoOptions<null>>): Promise<Map<string, Float32Array>> {
  const weaver = tinyWeaver(decoder);
  try {
    await trainWeaverGrpo({ decoder, tokenizer }, weaver, prompts, { ...fast, ...changes });
    return valuesOf(weaver);
  } finally {
    weaver.dispose();
  }
}

describe('trainWeaverGrpo', () => {
  it('raises the reward', async () => {
    const rewards: number[] = [];
    await trained({
      steps: 40,
      schedule: { kind: 'constant', peak: 0.05 },
      groupSize: 8,
      onStep: ({ metrics, rollout }) => {
        rewards.push(metrics.reward!);
        expect(rollout.completions.length).toBe(rollout.rows.length);
        expect(metrics).toHaveProperty('entropy');
        expect(metrics).toHaveProperty(['clip_ratio/region_mean']);
        expect(metrics).toHaveProperty(['rewards/upper/mean']);
      },
    });
    const mean = (part: number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
    expect(mean(rewards.slice(-5)) - mean(rewards.slice(0, 5))).toBeGreaterThan(0.2);
  });

  it.each([1, 2])('gives the same weights to the bit, interrupted or not: %i iterations', async (iterations) => {
    const options = { ...fast, iterations, beta: 0.05, steps: 6 };
    const reference = tinyWeaver(decoder, { seed: 4 });
    const expected = await trained({ ...options, reference });

    const weaver = tinyWeaver(decoder);
    const controller = new AbortController();
    const outcome = await trainWeaverGrpo({ decoder, tokenizer }, weaver, prompts, {
      ...options,
      reference,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 3) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: (step, optimizer) => saveTrainingState(folder, step, optimizer, weaver.parameters()),
      },
    });
    // The rollout in hand is used up first.
    expect(outcome).toEqual({ step: iterations === 1 ? 3 : 4, complete: false });
    weaver.dispose();

    const resumed = tinyWeaver(decoder, { seed: 9 });
    const { step, optimizerState, values } = await loadTrainingState(folder);
    restoreValues(values, resumed.parameters());
    await trainWeaverGrpo({ decoder, tokenizer }, resumed, prompts, {
      ...options,
      reference,
      resume: { step, optimizerState },
    });
    expect(valuesOf(resumed)).toEqual(expected);
    resumed.dispose();
    reference.dispose();
  });

  it('does the same in smaller batches', async () => {
    const [whole, parts] = [await trained({ steps: 1 }), await trained({ steps: 1, batchSize: 3 })];
    // A first step of AdamW hangs on signs where gradients are next to nothing, so the few larger ones are compared.
    for (const name of ['prompt_query_latents', 'weaver_to_reasoner.bias']) {
      expect(relativeDifference(parts.get(name)!, whole.get(name)!)).toBeLessThan(1e-3);
    }
  });

  it('moves away from the ratio of 1 only in later iterations', async () => {
    const ratios: number[] = [];
    await trained({ iterations: 2, onStep: ({ metrics }) => void ratios.push(metrics['ratio/max']!) });
    expect(ratios.filter((_, i) => i % 2 === 0).every((ratio) => Math.abs(ratio - 1) < 1e-4)).toBe(true);
    expect(ratios.filter((_, i) => i % 2 === 1).every((ratio) => ratio > 1.001)).toBe(true);
  });

  it('stops in words when nothing is to be learnt for too long', async () => {
    const rewards = [{ name: 'same', score: () => 1 }];
    await expect(trained({ rewards, patience: 2 })).rejects.toMatchObject({ code: 'grpo-no-signal', where: 'step 1' });
    await expect(trained({ rewards, patience: 2 })).rejects.toThrow(/2 rollouts in a row.*rewarded alike/);
  });

  it.each<[string, Partial<WeaverGrpoOptions<null>>]>([
    ['promptsPerStep', { promptsPerStep: 6 }],
    ['iterations', { iterations: 0 }],
    ['batchSize', { batchSize: 1.5 }],
    ['steps', { steps: 5, iterations: 2 }],
    ['temperature', { temperature: 0 }],
    ['reference', { beta: 0.1 }],
    ['patience', { patience: 0 }],
    ['resume.step', { iterations: 2, resume: { step: 1, optimizerState: new Map() } }],
  ])('refuses %s that cannot be', async (where, changes) => {
    await expect(trained(changes)).rejects.toMatchObject({ code: 'grpo-options', where });
  });
});
