// Rollouts: groups, what is learnt from them, agreement of generation and training, and what stands in the way.
import { Random } from '@memgen/common';
import { generate, startBackend, type Decoder, type Weaver } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import type { RewardFunction } from './score-completions.js';
import { completionLogProbabilities } from './weaver-objective.js';
import { rolloutWeaver, wovenSequence, type PolicyPrompt, type RolloutOptions } from './weaver-rollout.js';

// Ids 0 to 31 are the characters "!" to "@"; id 11 is the comma, id 13 the period.
const tokenizer = smallTokenizer();
const prompts: PolicyPrompt<string>[] = [
  { ids: randomIds(7, 1), task: 'first' },
  { ids: randomIds(4, 2), task: 'second' },
];
const digits: RewardFunction<string> = { name: 'digits', score: ({ text }) => text.replaceAll(/\D/g, '').length };

let decoder: Decoder;
let weaver: Weaver;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  weaver = tinyWeaver(decoder);
});
afterAll(() => {
  weaver.dispose();
  decoder.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function rollout(options: Partial<RolloutOptions<string>> = {}) {
  return rolloutWeaver({ decoder, tokenizer }, prompts, Random.fromSeed(1), {
    weaver,
    rewards: [digits],
    groupSize: 3,
    maxCompletionLength: 12,
    temperature: 2,
    ...options,
  });
}

describe('rolloutWeaver', () => {
  it('samples different completions of each prompt and scores them in groups', async () => {
    const { completions, rewards, rows, metrics, obstacle } = await rollout();
    expect(completions.map(({ task }) => task)).toEqual(['first', 'first', 'first', 'second', 'second', 'second']);
    expect(new Set(completions.map(({ text }) => text)).size).toBe(6);
    expect([...rewards]).toEqual(completions.map(({ text }) => text.replaceAll(/\D/g, '').length));
    expect(rows[0]!.advantage + rows[1]!.advantage + rows[2]!.advantage).toBeCloseTo(0, 10);
    expect(rows.map(({ sequence }) => sequence.ids)).toEqual(
      completions.map(({ ids }, i) => [...prompts[Math.floor(i / 3)]!.ids, ...ids]),
    );
    expect(metrics).toMatchObject({ 'completions/clipped_ratio': 1, 'completions/max_length': 12 });
    expect(metrics['rewards/digits/mean']).toBeCloseTo(metrics.reward!, 10);
    expect(obstacle).toBeUndefined();
  });

  it('depends on the stream of chance alone', async () => {
    const [one, same] = [await rollout(), await rollout()];
    expect(one.completions).toEqual(same.completions);
  });

  it('masks what has no reward, and what was cut if asked to', async () => {
    let calls = 0;
    const fragile: RewardFunction<string> = {
      name: 'fragile',
      score: ({ ids }) => {
        if (++calls === 2) throw new Error('broken');
        return ids[0]!;
      },
    };
    const { rows, rewards, failures, obstacle } = await rollout({ rewards: [fragile], rewardConcurrency: 1 });
    expect(failures).toEqual([{ completion: 1, function: 'fragile', reason: 'broken' }]);
    expect(rewards[1]).toBeNaN();
    expect(rows.map(({ mask }) => Array.from(mask!).includes(1))).toEqual([true, false, true, true, true, true]);
    expect(rows[1]!.advantage).toBe(0);
    expect(obstacle).toBeUndefined();
    const masked = await rollout({ maskTruncatedCompletions: true });
    expect(masked.rows.every(({ mask }) => !Array.from(mask!).includes(1))).toBe(true);
    expect(masked.obstacle).toMatch(/cut at the longest length and is masked/);
  });

  it('says what stands in the way of learning', async () => {
    const same = await rollout({ rewards: [{ name: 'same', score: () => 0.1 }] });
    expect(same.obstacle).toMatch(/rewarded alike.*all were cut/);
    expect(same.rows.map(({ advantage }) => advantage)).toEqual([0, 0, 0, 0, 0, 0]);
    const broken = await rollout({ rewards: [{ name: 'broken', score: () => NaN }] });
    expect(broken.obstacle).toMatch(/every reward function failed/);
  });
});

describe('wovenSequence', () => {
  it('has in the training forward the probabilities that generation drew from', async () => {
    const [temperature, chosen] = [2, prompts.map(({ ids }) => ids)];
    const drawn: number[][] = [[], []];
    const logits: Float32Array[] = [];
    const generated = await generate({ decoder, tokenizer }, chosen, {
      weaver,
      maxNewTokens: 14,
      endIds: [],
      sampling: { temperature },
      random: Random.fromSeed(4),
      _onLogits: (_, rows, values) => {
        expect(rows).toEqual([0, 1]);
        logits.push(values.slice());
      },
    });
    generated.forEach(({ ids }, row) => {
      ids.forEach((id, step) => {
        const scaled = Array.from(logits[step]!.subarray(row * 32, (row + 1) * 32), (logit) => logit / temperature);
        drawn[row]!.push(scaled[id]! - Math.log(scaled.reduce((sum, logit) => sum + Math.exp(logit), 0)));
      });
    });
    const rows = generated.map((row, i) => wovenSequence(chosen[i]!, row));
    expect(rows.flatMap(({ points }) => points.map(({ kind }) => kind))).toContain('inference');
    const { logProbabilities } = completionLogProbabilities(decoder, rows, { weaver, temperature });
    logProbabilities.forEach((row, b) => {
      row.forEach((value, t) => {
        expect(Math.abs(value - drawn[b]![t]!)).toBeLessThan(1e-4);
      });
    });
  });
});
