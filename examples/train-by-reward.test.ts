// The examples of training by reward go on from the weaver of another example, and leave what can be loaded.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemGen } from '@memgen/core';
import { listCheckpoints } from '@memgen/runs';
import { LanguageModelTrigger } from '@memgen/trigger';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainTrigger } from './train-trigger.js';
import { trainWeaverByReward } from './train-weaver-by-reward.js';
import { trainShopWeaver } from './train-weaver.js';

let parent: string;
let weaver: string;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'memgen-by-reward-'));
  await trainShopWeaver(join(parent, 'run'), { steps: 2, questions: 1 });
  weaver = (await listCheckpoints(join(parent, 'run'))).at(-1)!.path;
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

it('trains a weaver by reward, and goes on from its checkpoint', async () => {
  const run = join(parent, 'weaver-by-reward');
  const folder = join(run, 'checkpoints');
  expect(await trainWeaverByReward(weaver, folder, { steps: 1 })).toHaveLength(1);
  expect(await trainWeaverByReward(weaver, folder, { steps: 2 })).toHaveLength(1);
  expect((await listCheckpoints(run)).map(({ step }) => step)).toEqual([1, 2]);
  expect(tf.memory().numTensors).toBe(0);
});

it('trains a trigger that MemGen loads with its weaver', async () => {
  const folder = join(parent, 'trigger');
  const curve = await trainTrigger(weaver, folder, { steps: 2, prompts: 16, promptsPerStep: 8 });
  expect(curve).toHaveLength(2);
  for (const { reward, weaveRate } of curve) {
    expect(reward).toBeGreaterThanOrEqual(0);
    expect(weaveRate).toBeLessThanOrEqual(1);
  }
  expect(tf.memory().numTensors).toBe(0);
  const memgen = await MemGen.fromPretrained(folder, {
    weaver: LatentWeaver,
    trigger: LanguageModelTrigger,
  });
  expect(memgen.trigger).toBeInstanceOf(LanguageModelTrigger);
  memgen.dispose();
});
