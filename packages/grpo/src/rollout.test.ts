// Rollouts: groups, what is learnt from them, agreement of generation and training, and what stands in the way.
import { Random, rewardPerSample } from '@memgen/common';
import { InferenceReader, startBackend, type Decoder, type Trigger, type Weaver } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { answerPrompts, type PolicyPrompt } from './answer-prompts.js';
import { wovenTurns, type Episode } from './episode.js';
import type { GenerationSettings } from './generation-settings.js';
import { judgeRollout } from './rollout.js';
import type { CompletionReward } from './score-completions.js';
import { completionLogProbabilities } from './weaver-objective.js';

// Ids 0 to 31 are the characters "!" to "@"; id 11 is the comma, id 13 the period.
const tokenizer = smallTokenizer({ config: { pad_token: '!' } });
const prompts: PolicyPrompt<string>[] = [
  { ids: randomIds(7, 1), task: 'first' },
  { ids: randomIds(4, 2), task: 'second' },
];
const digits = rewardPerSample<string>({
  name: 'digits',
  score: ({ completion }) => completion.replaceAll(/\D/g, '').length,
});

let decoder: Decoder;
let weaver: Weaver;
let trigger: Trigger;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  weaver = tinyWeaver(decoder);
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
  trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(3));
});
afterAll(() => {
  for (const model of [trigger, weaver, decoder]) model.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function answers(settings: GenerationSettings & { groupSize?: number } = {}): Promise<Episode<string>[]> {
  return answerPrompts({ decoder, tokenizer }, prompts, Random.fromSeed(1), {
    weaver,
    groupSize: 3,
    maxCompletionLength: 12,
    temperature: 2,
    ...settings,
  });
}

describe('answerPrompts and judgeRollout', () => {
  it('sample different completions of each prompt and score them in groups', async () => {
    const episodes = await answers();
    const { completions, rewards, advantages, metrics, obstacle } = await judgeRollout(episodes, {
      rewards: [digits],
      groupSize: 3,
    });
    expect(completions.map(({ row }) => row)).toEqual(['first', 'first', 'first', 'second', 'second', 'second']);
    expect(new Set(completions.map(({ completion }) => completion)).size).toBe(6);
    expect([...rewards]).toEqual(completions.map(({ completion }) => completion.replaceAll(/\D/g, '').length));
    expect(advantages[0]! + advantages[1]! + advantages[2]!).toBeCloseTo(0, 10);
    expect(episodes.map(({ ids }) => ids)).toEqual(
      completions.map(({ ids }, i) => [...prompts[Math.floor(i / 3)]!.ids, ...ids]),
    );
    expect(metrics).toMatchObject({
      'completions/clipped_ratio': 1,
      'completions/max_length': 12,
      weave_rate: 1,
    });
    expect(metrics['rewards/digits/mean']).toBeCloseTo(metrics.reward!, 10);
    expect(obstacle).toBeUndefined();
    expect(await answers()).toEqual(episodes);
  });

  it('read the prompt once for all completions of a group', async () => {
    const embed = vi.spyOn(InferenceReader.prototype, 'embed');
    const weave = vi.spyOn(InferenceReader.prototype, 'hidden');
    await answers({ maxCompletionLength: 1 });
    // Two prompts together, for the reasoner and for the weaver.
    expect(embed.mock.calls.map(([ids]) => ids.length)).toEqual([7 + 4]);
    expect(weave.mock.calls.map(([vectors]) => vectors.length)).toEqual([2]);
    embed.mockRestore();
    weave.mockRestore();
  });

  it('weigh several rewards', async () => {
    const brief: CompletionReward<string> = { name: 'one', score: (samples) => samples.map(() => ({ value: 1 })) };
    const rewards = [digits, brief];
    const episodes = await answers();
    const judged = await judgeRollout(episodes, { rewards, rewardWeights: [2, -0.5], groupSize: 3 });
    const alone = await judgeRollout(episodes, { rewards: [digits], groupSize: 3 });
    expect([...judged.rewards]).toEqual([...alone.rewards].map((reward) => 2 * reward - 0.5));
    await expect(judgeRollout(episodes, { rewards, rewardWeights: [1], groupSize: 3 })).rejects.toMatchObject({
      code: 'reward-weights',
    });
  });

  it('leave out what has no reward, and what was cut if asked to', async () => {
    const episodes = await answers();
    const fragile: CompletionReward<string> = {
      name: 'fragile',
      score: (samples) => samples.map((_, i) => (i === 1 ? { value: NaN, reason: 'broken' } : { value: i })),
    };
    const { counts, advantages, rewards, failures, obstacle } = await judgeRollout(episodes, {
      rewards: [fragile],
      groupSize: 3,
    });
    expect(failures).toEqual([{ completion: 1, function: 'fragile', reason: 'broken' }]);
    expect(rewards[1]).toBeNaN();
    expect(counts).toEqual([true, false, true, true, true, true]);
    expect(advantages[1]).toBe(0);
    expect(obstacle).toBeUndefined();
    const masked = await judgeRollout(episodes, { rewards: [digits], groupSize: 3, maskTruncatedCompletions: true });
    expect(masked.counts).not.toContain(true);
    expect(masked.obstacle).toMatch(/cut at the longest length and is masked/);
  });

  it('say what stands in the way of learning', async () => {
    const episodes = await answers();
    const constant = (value: number): CompletionReward<string> => ({
      name: 'constant',
      score: (samples) => samples.map(() => ({ value })),
    });
    const same = await judgeRollout(episodes, { rewards: [constant(0.1)], groupSize: 3 });
    expect(same.obstacle).toMatch(/rewarded alike.*all were cut/);
    expect([...same.advantages]).toEqual([0, 0, 0, 0, 0, 0]);
    const broken = await judgeRollout(episodes, { rewards: [constant(NaN)], groupSize: 3 });
    expect(broken.obstacle).toMatch(/every reward function failed/);
  });

  it.each(['always', 'by a trigger that draws'])(
    'have in the training forward the probabilities that generation drew from: woven %s',
    async (how) => {
      const settings = how === 'always' ? {} : { trigger, triggerTemperature: 2, groupSize: 12 };
      const episodes = await answers({ maxCompletionLength: 40, temperature: 1, ...settings });
      const sequences = episodes.map(wovenTurns);
      const first = sequences.flatMap((turns) => turns.map(({ points }) => points[0]?.kind));
      if (how !== 'always') expect(new Set(first)).toEqual(new Set(['prompt', 'inference', undefined]));
      const { logProbabilities } = await completionLogProbabilities(decoder, sequences, { weaver });
      logProbabilities.forEach((row, b) => {
        const drawn = episodes[b]!.turns[0]!.logProbabilities!;
        expect(row.length).toBe(drawn.length);
        row.forEach((value, t) => {
          expect(Math.abs(value - drawn[t]!)).toBeLessThan(1e-4);
        });
      });
    },
  );
});
