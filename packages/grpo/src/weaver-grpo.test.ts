// Training by reward: rewards rise, interruption and batches change nothing, settings that cannot be used.
import { silentLogger } from '@memgen/common';
import { startBackend, type Decoder, type Weaver } from '@memgen/core';
import { loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import type { PolicyPrompt } from './answer-prompts.js';
import type { CompletionReward } from './score-completions.js';
import { trainWeaverGrpo, type WeaverGrpoOptions } from './weaver-grpo.js';

const tokenizer = smallTokenizer();
const prompts = [1, 2, 3, 4, 5].map((seed): PolicyPrompt<null> => ({ ids: randomIds(3 + seed, seed), task: null }));
/** Share of the upper half of the vocabulary. */
const upper: CompletionReward<null> = {
  name: 'upper',
  score: (samples) => samples.map(({ ids }) => ({ value: ids.filter((id) => id >= 16).length / ids.length })),
};
const same: CompletionReward<null> = { name: 'same', score: (samples) => samples.map(() => ({ value: 1 })) };

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
        expect(rollout.completions.length).toBe(rollout.advantages.length);
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

  it.each<[string, Partial<WeaverGrpoOptions<null>>]>([
    ['dapo', {}],
    ['grpo', { lossType: 'grpo', scaleRewards: 'batch' }],
    ['dr_grpo', { lossType: 'dr_grpo', scaleRewards: 'none' }],
    ['ratios of sequences', { importanceSampling: 'sequence', epsilonHigh: 0.28, delta: 2 }],
  ])('does the same in smaller batches: %s', async (_, changes) => {
    const results: number[][][] = [];
    for (const batchSize of [8, 3]) {
      const own: number[][] = [];
      const onStep: WeaverGrpoOptions<null>['onStep'] = ({ loss, gradientNorm, metrics }) =>
        void own.push([loss, gradientNorm, metrics['completions/mean_length']!]);
      await trained({ steps: 2, iterations: 2, beta: 0.1, ...changes, batchSize, onStep });
      results.push(own);
    }
    const [whole, parts] = results as [number[][], number[][]];
    expect(whole[0]![1]).toBeGreaterThan(0);
    // A first step of AdamW hangs on signs where gradients are next to nothing, so only the step before it is equal.
    whole[0]!.forEach((value, i) => {
      expect(Math.abs(parts[0]![i]! - value)).toBeLessThan(1e-3 * Math.abs(value) + 1e-5);
    });
  });

  it('moves away from the ratio of 1 only in later iterations', async () => {
    const ratios: number[] = [];
    await trained({ iterations: 2, onStep: ({ metrics }) => void ratios.push(metrics['ratio/max']!) });
    expect(ratios.filter((_, i) => i % 2 === 0).every((ratio) => Math.abs(ratio - 1) < 1e-4)).toBe(true);
    expect(ratios.filter((_, i) => i % 2 === 1).every((ratio) => ratio > 1.001)).toBe(true);
  });

  it('says at once that nothing is to be learnt, and stops when that lasts too long', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const run = trained({ rewards: [same], patience: 2, logger });
    await expect(run).rejects.toMatchObject({ code: 'grpo-no-signal', where: 'step 1' });
    await expect(run).rejects.toThrow(/2 rollouts in a row.*rewarded alike/);
    expect(warnings).toEqual([
      expect.stringMatching(/^step 0: nothing to learn: .*rewarded alike/),
      expect.stringMatching(/^step 1: /),
    ]);
  });

  it('changes nothing where every completion is cut and masked', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const weaver = tinyWeaver(decoder);
    const start = valuesOf(weaver);
    weaver.dispose();
    expect(await trained({ steps: 2, maskTruncatedCompletions: true, logger, iterations: 2, beta: 0.1 })).toEqual(
      start,
    );
    expect(warnings).toEqual([expect.stringMatching(/every completion was cut at the longest length and is masked/)]);
  });

  it('says which rewards failed and goes on with the others', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const fragile: CompletionReward<null> = {
      name: 'fragile',
      score: (samples) => samples.map((_, i) => (i === 3 ? { value: NaN, reason: 'timed out' } : { value: i })),
    };
    await trained({ steps: 1, rewards: [fragile], logger });
    expect(warnings).toEqual(['step 0: 1 of 8 completions have no reward; "fragile" of completion 3: timed out']);
  });

  it('takes the parameters that it began with as the reference, unless it is given', async () => {
    const options = { ...fast, beta: 0.1, iterations: 2 };
    const weaver = tinyWeaver(decoder);
    const given = await trained({ ...options, reference: weaver });
    weaver.dispose();
    expect(await trained(options)).toEqual(given);
    expect(await trained({ ...options, beta: 0 })).not.toEqual(given);
  });

  it('tells where the time goes, by a clock that is given', async () => {
    let now = 0;
    const times: (number | undefined)[][] = [];
    await trained({
      steps: 2,
      iterations: 2,
      clock: () => now++,
      onStep: ({ metrics }) =>
        void times.push(
          ['rollout', 'reward', 'forward', 'backward', 'optimizer'].map((part) => metrics[`time/${part}`]),
        ),
    });
    // The second step goes over the same rollout.
    expect(times).toEqual([[1, 1, 1, 1, 1], [undefined, undefined, 1, 1, 1]]); // prettier-ignore
  });

  it('counts a step in completions too', async () => {
    expect(await trained({ completionsPerStep: 8, promptsPerStep: 2 })).toEqual(await trained({}));
  });

  it.each<[RegExp, Partial<WeaverGrpoOptions<null>>]>([
    [/8 or 12 completions, or a groupSize of 2, 5, 10/, { completionsPerStep: 10 }],
    [/4 completions, or a groupSize of 3/, { completionsPerStep: 3 }],
    [/one of them, or 3 prompts/, { completionsPerStep: 12, promptsPerStep: 2 }],
    [/groupSize 1/, { groupSize: 1 }],
  ])('explains sizes that make no whole groups: %s', async (message, changes) => {
    const run = trained({
      ...(changes.completionsPerStep && { promptsPerStep: undefined }),
      ...changes,
    } as typeof changes);
    await expect(run).rejects.toMatchObject({ code: 'group-size' });
    await expect(run).rejects.toThrow(message);
  });

  it.each<[string, Partial<WeaverGrpoOptions<null>>]>([
    ['promptsPerStep', { promptsPerStep: 6 }],
    ['iterations', { iterations: 0 }],
    ['batchSize', { batchSize: 1.5 }],
    ['steps', { steps: 5, iterations: 2 }],
    ['temperature', { temperature: 0 }],
    ['reference', { beta: 0.1, resume: { step: 1, optimizerState: new Map() } }],
    ['steps', { steps: 0 }],
    ['patience', { patience: 0 }],
    ['resume.step', { iterations: 2, resume: { step: 1, optimizerState: new Map() } }],
  ])('refuses %s that cannot be', async (where, changes) => {
    await expect(trained(changes)).rejects.toMatchObject({ code: 'grpo-options', where });
  });
});
