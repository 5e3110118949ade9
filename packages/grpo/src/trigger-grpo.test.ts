// Training a trigger by reward: it learns where to weave, interruption changes nothing, what it refuses.
import { Random } from '@memgen/common';
import { generate, startBackend, type Decoder, type Trigger, type Weaver } from '@memgen/core';
import { loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import type { PolicyPrompt } from './answer-prompts.js';
import { parameterValues, type ParameterValues } from './reference-values.js';
import type { CompletionReward } from './score-completions.js';
import { trainTriggerGrpo, type TriggerGrpoOptions } from './trigger-grpo.js';

/** Whether the greedy answer without latents is the wanted one, and what it is. */
interface Task {
  wantsMemory: boolean;
  plain: readonly number[];
}

const tokenizer = smallTokenizer({ config: { pad_token: '!' } });
/** As if memory helped with half of the questions and ruined the others. */
const reward: CompletionReward<Task> = {
  name: 'right',
  score: (samples) =>
    samples.map(({ row: { wantsMemory, plain }, ids }) => ({
      value: Number((ids.join() === plain.join()) !== wantsMemory),
    })),
};

let decoder: Decoder;
let weaver: Weaver;
let prompts: PolicyPrompt<Task>[];
let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  weaver = tinyWeaver(decoder);
  folder = await mkdtemp(join(tmpdir(), 'memgen-trigger-grpo-'));
  // The last token of a question tells its kind.
  const ids = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => [...randomIds(3 + (seed % 3), seed), seed % 2 === 0 ? 4 : 20]);
  const plain = await generate({ decoder, tokenizer }, ids, { maxNewTokens: 3 });
  prompts = ids.map((own, i) => ({ ids: own, task: { wantsMemory: own.at(-1) === 4, plain: plain[i]!.ids } }));
});
afterAll(async () => {
  weaver.dispose();
  decoder.dispose();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const settings = {
  rewards: [reward],
  groupSize: 4,
  promptsPerStep: 4,
  batchSize: 16,
  maxCompletionLength: 3,
  maxInferencePoints: 0,
  steps: 4,
  schedule: { kind: 'constant', peak: 0.05 },
  seed: 2,
} as const;

function newTrigger(seed = 3): Trigger {
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
  return LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(seed));
}

async function trained(
  changes: Partial<TriggerGrpoOptions<Task>> = {},
  trigger = newTrigger(),
): Promise<ParameterValues> {
  try {
    await trainTriggerGrpo({ decoder, tokenizer }, trigger, prompts, { weaver, ...settings, ...changes });
    return await parameterValues(trigger.parameters());
  } finally {
    trigger.dispose();
  }
}

describe('trainTriggerGrpo', () => {
  it('learns to weave where memory helps, and not where it ruins', async () => {
    const trigger = newTrigger();
    const probabilities: number[] = [];
    const decisions: { wantsMemory: boolean; wove: boolean }[][] = [];
    await trainTriggerGrpo({ decoder, tokenizer }, trigger, prompts, {
      weaver,
      ...settings,
      steps: 40,
      onStep: ({ metrics, rollout: { episodes } }) => {
        probabilities.push(metrics.weave_probability!);
        expect(metrics).toHaveProperty(['augmentations/mean_length'], 1);
        expect(metrics).toHaveProperty(['clip_ratio/region_mean']);
        expect(metrics.actions).toBe(16);
        decisions.push(
          episodes.map(({ task: { wantsMemory }, turns: [turn] }) => ({
            wantsMemory,
            wove: turn!.augmentations[0] === 1,
          })),
        );
      },
    });
    trigger.dispose();
    const rate = (steps: typeof decisions, wanted: boolean) => {
      const own = steps.flat().filter(({ wantsMemory }) => wantsMemory === wanted);
      return own.filter(({ wove }) => wove).length / own.length;
    };
    expect(probabilities[0]).toBeGreaterThan(0.2);
    expect(probabilities[0]).toBeLessThan(0.85);
    expect(rate(decisions.slice(-8), true)).toBeGreaterThan(0.9);
    expect(rate(decisions.slice(-8), false)).toBeLessThan(0.1);
  }, 60_000);

  it('weaves less under the penalty where weaving changes no reward', async () => {
    const rates: Record<string, number> = {};
    // Half of the completions are rewarded, by no merit of their own.
    const luck: CompletionReward<Task> = {
      name: 'luck',
      score: (samples) => samples.map((_, i) => ({ value: i % 2 })),
    };
    for (const [name, penalty] of Object.entries({ without: undefined, with: { lambda: 3 } })) {
      const last: number[] = [];
      await trained({
        rewards: [luck],
        steps: 12,
        ...(penalty !== undefined && { penalty }),
        onStep: ({ step, metrics }) => {
          if (penalty !== undefined) expect(metrics.penalty).toBeGreaterThanOrEqual(0);
          if (step > 6) last.push(metrics.weave_probability!);
        },
      });
      rates[name] = last.reduce((sum, rate) => sum + rate, 0) / last.length;
    }
    expect(rates.with).toBeLessThan(rates.without! - 0.02);
  });

  it('does the same in smaller batches, the penalty included', async () => {
    const losses: number[][] = [];
    for (const batchSize of [16, 3]) {
      const own: number[] = [];
      const onStep: TriggerGrpoOptions<Task>['onStep'] = ({ loss, gradientNorm, metrics }) =>
        void own.push(loss, gradientNorm, metrics.penalty!, metrics.weave_rate!);
      await trained({ steps: 1, batchSize, penalty: { lambda: 0.5 }, onStep });
      losses.push(own);
    }
    losses[0]!.forEach((value, i) => {
      expect(losses[1]![i]).toBeCloseTo(value, 4);
    });
    expect(losses[0]![2]).toBeGreaterThan(0);
  });

  it.each([1, 2])('gives the same weights to the bit, interrupted or not: %i iterations', async (iterations) => {
    const options = { iterations, beta: 0.05, steps: 6, penalty: { lambda: 0.3 }, maxInferencePoints: 2 };
    const expected = await trained(options);

    const trigger = newTrigger();
    const reference = await parameterValues(trigger.parameters());
    const controller = new AbortController();
    const outcome = await trainTriggerGrpo({ decoder, tokenizer }, trigger, prompts, {
      weaver,
      ...settings,
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 3) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: (step, optimizer) => saveTrainingState(folder, step, optimizer, trigger.parameters()),
      },
    });
    expect(outcome).toEqual({ step: iterations === 1 ? 3 : 4, complete: false });
    trigger.dispose();

    const resumed = newTrigger(9);
    const { step, optimizerState, values } = await loadTrainingState(folder);
    restoreValues(values, resumed.parameters());
    expect(await trained({ ...options, reference, resume: { step, optimizerState } }, resumed)).toEqual(expected);
  });

  it('changes neither the weaver nor the reasoner', async () => {
    const own = await parameterValues(weaver.parameters());
    await trained({ steps: 1 });
    expect(await parameterValues(weaver.parameters())).toEqual(own);
  });

  it('refuses a weaver that was never trained, unless allowed', async () => {
    const random = Random.fromSeed(1);
    const untrained = weaver.untrained!(random);
    try {
      await expect(trained({ weaver: untrained })).rejects.toMatchObject({ code: 'weaver-untrained' });
      await trained({ weaver: untrained, allowUntrainedWeaver: true, steps: 1 });
    } finally {
      untrained.dispose();
    }
  });

  it('refuses a greedy trigger, and groups that cannot be', async () => {
    await expect(trained({ triggerTemperature: 0 })).rejects.toMatchObject({ where: 'triggerTemperature' });
    await expect(trained({ groupSize: 1 })).rejects.toMatchObject({ code: 'group-size' });
  });

  it('stops when all decisions come to the same', async () => {
    const constant: CompletionReward<Task> = { name: 'same', score: (samples) => samples.map(() => ({ value: 1 })) };
    await expect(trained({ rewards: [constant], patience: 1 })).rejects.toMatchObject({ code: 'grpo-no-signal' });
  });
});
