// Workers: the number of them changes nothing, and what goes wrong in them is told.
import { Random } from '@memgen/common';
import { startBackend, type GeneratingModel, type Optimizer, type Weaver } from '@memgen/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomIds } from '../../../core/src/model/tiny-decoder.test-helper.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { answerPrompts, type PolicyPrompt } from '../answer-prompts.js';
import type { PolicyTasks } from '../episode-source.js';
import { playEpisodes } from '../play-episodes.js';
import type { CompletionReward } from '../score-completions.js';
import { CountingEnvironment, type CountingTask } from '../test-environments.test-helper.js';
import { trainWeaverGrpo, type WeaverGrpoOptions } from '../weaver-grpo.js';
import { RolloutWorkers, type RolloutRequest, type RolloutWorkersOptions } from './rollout-workers.js';
import { tinyParts, type TestPlayerData } from './test-player.test-helper.js';

const module = new URL('./test-player.test-helper.ts', import.meta.url);
const prompts = [1, 2, 3, 4, 5].map((seed): PolicyPrompt<number> => ({ ids: randomIds(3 + seed, seed), task: seed }));
const tasks = [1, 2, 3, 4].map((turns): CountingTask => ({ name: `task ${turns}`, turns }));
const drawing = { groupSize: 3, maxCompletionLength: 6 };

let reasoner: GeneratingModel;
let weaver: Weaver;
let one: RolloutWorkers;
let two: RolloutWorkers;
const running: RolloutWorkers[] = [];

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  ({ reasoner, weaver } = await tinyParts());
  one = await start({}, { workers: 1 });
  two = await start({}, { workers: 2 });
  running.length = 0;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((workers) => workers.dispose()));
});
afterAll(async () => {
  await one.dispose();
  await two.dispose();
  weaver.dispose();
  reasoner.decoder.dispose();
});

async function start(data: TestPlayerData = {}, options: Partial<RolloutWorkersOptions> = {}): Promise<RolloutWorkers> {
  const workers = await RolloutWorkers.start({ player: { module, data }, workers: 1, shardSize: 2, ...options });
  running.push(workers);
  return workers;
}

function request(changes: Partial<RolloutRequest> = {}): RolloutRequest {
  return {
    decoder: reasoner.decoder,
    parts: { weaver },
    drawing,
    work: { prompts: prompts.map(({ ids }) => ids) },
    random: Random.fromSeed(1),
    ...changes,
  };
}

function valuesOf(trainee: Weaver): Map<string, Float32Array> {
  return new Map([...trainee.parameters()].map(([name, variable]) => [name, Float32Array.from(variable.dataSync())]));
}

const inTasks = { work: { tasks, turns: {} } };

describe('RolloutWorkers', () => {
  it('play what this thread plays, shard by shard', async () => {
    const expected = [];
    for (const [i, part] of [prompts.slice(0, 2), prompts.slice(2, 4), prompts.slice(4)].entries()) {
      const random = Random.fromSeed(1).fork(`shard ${i}`);
      expected.push(...(await answerPrompts(reasoner, part, random, { ...drawing, weaver })));
    }
    const played = await two.play(request());
    expect(played).toEqual(expected.map((episode) => ({ ...episode, task: undefined })));
    expect(played).toHaveLength(15);
  });

  it('play many turns with environments of their own', async () => {
    const { groupSize } = drawing;
    const shard = tasks.slice(2).flatMap((task) => Array.from({ length: groupSize }, () => task));
    const environments = shard.map(() => new CountingEnvironment());
    const random = Random.fromSeed(1).fork('shard 1');
    const alone = await playEpisodes({ reasoner, tasks: shard, environments, random, ...drawing, weaver });
    const played = await two.play(request(inTasks));
    expect(played.slice(2 * groupSize)).toEqual(alone.map((episode) => ({ ...episode, task: undefined })));
    expect(played.map(({ turns }) => turns.length)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  it('take over the values of the parts before each rollout', async () => {
    const other = tinyWeaver(reasoner.decoder, { seed: 7 });
    const first = await two.play(request());
    const second = await two.play(request({ parts: { weaver: other } }));
    expect(second).not.toEqual(first);
    expect(await two.play(request())).toEqual(first);
    other.dispose();
  });

  it('have nothing to do for no prompts', async () => {
    expect(await two.play(request({ work: { prompts: [] } }))).toEqual([]);
  });

  it.each<[string, Partial<RolloutWorkersOptions>]>([
    ['workers', { workers: 0 }],
    ['shardSize', { shardSize: 1.5 }],
    ['heapLimit', { heapLimit: -1 }],
  ])('refuse %s that cannot be', async (where, options) => {
    await expect(start({}, options)).rejects.toMatchObject({ code: 'rollout-workers', where });
  });
});

describe('training with workers', () => {
  const upper: CompletionReward<unknown> = {
    name: 'upper',
    score: (samples) => samples.map(({ ids }) => ({ value: ids.filter((id) => id >= 134).length / ids.length })),
  };
  const settings: WeaverGrpoOptions<unknown> = {
    rewards: [upper],
    groupSize: 4,
    promptsPerStep: 4,
    maxCompletionLength: 5,
    steps: 3,
    batchSize: 16,
    schedule: { kind: 'constant', peak: 0.02 },
    seed: 2,
  };

  async function trained<Task>(work: PolicyTasks<Task>, rollouts: RolloutWorkers): Promise<Map<string, Float32Array>> {
    const trainee = tinyWeaver(reasoner.decoder);
    const seen: unknown[] = [];
    await trainWeaverGrpo(reasoner, trainee, work, {
      ...settings,
      rollouts,
      onStep: ({ rollout }) => void seen.push(...rollout.completions.map(({ row }) => row)),
    });
    const known: unknown[] = 'tasks' in work ? [...work.tasks] : work.map(({ task }) => task);
    expect(seen.every((task) => known.includes(task))).toBe(true);
    const values = valuesOf(trainee);
    trainee.dispose();
    return values;
  }

  it('gives the same weights to the bit with one and with two of them', async () => {
    const weights = await trained(prompts, one);
    expect(await trained(prompts, two)).toEqual(weights);
    // They are not the initial ones.
    const fresh = tinyWeaver(reasoner.decoder);
    const name = [...weights.keys()][0]!;
    expect(fresh.parameters().get(name)!.dataSync()).not.toEqual(weights.get(name));
    fresh.dispose();
  });

  it('gives them also where one goes on after an interruption with another number', async () => {
    const weights = await trained(prompts, one);
    const trainee = tinyWeaver(reasoner.decoder);
    const controller = new AbortController();
    let optimizerState: Awaited<ReturnType<Optimizer['exportState']>> | undefined;
    await trainWeaverGrpo(reasoner, trainee, prompts, {
      ...settings,
      rollouts: one,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 2) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: async (_, optimizer) => {
          optimizerState = await optimizer.exportState();
        },
      },
    });
    const resume = { step: 2, optimizerState: optimizerState! };
    await trainWeaverGrpo(reasoner, trainee, prompts, { ...settings, rollouts: two, resume });
    expect(valuesOf(trainee)).toEqual(weights);
    trainee.dispose();
  });

  it('does so in environments', async () => {
    expect(await trained({ tasks }, two)).toEqual(await trained({ tasks }, one));
  });

  it('needs an environment where this thread plays', async () => {
    const run = trainWeaverGrpo(reasoner, weaver, { tasks }, settings);
    await expect(run).rejects.toMatchObject({ code: 'episode-environment' });
  });
});

describe('what goes wrong in workers', () => {
  it.each<[string, TestPlayerData, RegExp]>([
    ['throws', { start: 'throw' }, /there is no such model/],
    ['throws one of our errors', { start: 'refuse' }, /damaged[^]*copy it again/],
    ['ends its thread', { start: 'exit' }, /exit code 7/],
  ])('a factory that %s', async (_, data, message) => {
    const run = start(data);
    await expect(run).rejects.toMatchObject({ code: 'rollout-worker-start', where: module.href });
    await expect(run).rejects.toThrow(message);
  });

  it('a module that is not there, makes no player, or data that cannot be sent', async () => {
    const missing = new URL('./no-such-player.js', import.meta.url);
    const other = new URL('./shared-values.ts', import.meta.url);
    for (const [player, message] of [
      [{ module: missing }, /no-such-player/],
      [{ module: other }, /function createRolloutPlayer/],
      [{ module, data: () => 1 }, /could not be cloned/],
    ] as const) {
      const run = RolloutWorkers.start({ player, workers: 1 });
      await expect(run).rejects.toMatchObject({ code: 'rollout-worker-start' });
      await expect(run).rejects.toThrow(message);
    }
  });

  it.each<['exit' | 'throw', RegExp]>([
    ['exit', /exit code 3/],
    ['throw', /the socket is closed/],
  ])('a thread that dies: %s', async (what, message) => {
    const workers = await start({ at: { name: 'task 3', what } }, { workers: what === 'exit' ? 2 : 1 });
    const run = workers.play(request(inTasks));
    await expect(run).rejects.toMatchObject({ code: 'rollout-worker-ended', where: 'shard 1 of 2' });
    await expect(run).rejects.toThrow(message);
    // The others do not go on as if nothing had happened.
    await expect(workers.play(request())).rejects.toMatchObject({ code: 'rollout-worker-ended' });
  });

  it('a thread without memory', async () => {
    const workers = await start({ at: { name: 'task 4', what: 'memory' } }, { heapLimit: 96 });
    const run = workers.play(request(inTasks));
    await expect(run).rejects.toMatchObject({ code: 'rollout-worker-memory', where: 'shard 1 of 2' });
    await expect(run).rejects.toThrow(/heapLimit/);
  });

  it('a shard that cannot be played, after which the workers can go on', async () => {
    const run = two.play(request({ work: { prompts: [[1, 2], [4], [], [3], [5]] } }));
    await expect(run).rejects.toMatchObject({ code: 'rollout-shard', where: 'shard 1 of 3' });
    await expect(run).rejects.toThrow(/every prompt needs at least one token/);
    expect(await two.play(request())).toHaveLength(15);
  });

  it('a rollout amid another', async () => {
    const first = two.play(request());
    await expect(two.play(request())).rejects.toThrow(/playing another rollout/);
    expect(await first).toHaveLength(15);
  });

  it('tasks that cannot be sent', async () => {
    const run = two.play(request({ work: { tasks: [{ name: 'a', wait: () => undefined }], turns: {} } }));
    await expect(run).rejects.toMatchObject({ code: 'rollout-shard' });
    await expect(run).rejects.toThrow(/could not be cloned/);
    expect(await two.play(request())).toHaveLength(15);
  });

  it('other parts than the trainer has', async () => {
    const run = async (data: TestPlayerData, changes: Partial<RolloutRequest> = {}) =>
      (await start(data)).play(request(changes));
    await expect(run({ withoutWeaver: true })).rejects.toThrow(/other parts[^]*got: +none[^]*expected: +weaver/);
    await expect(run({ promptLatents: 5 })).rejects.toThrow(/prompt[^]*got: +\[5, 16\][^]*expected: +\[3, 16\]/);
    const template = { kind: 'jinja', source: '{{ messages }}' } as const;
    const work = { tasks, turns: {}, template };
    await expect(one.play(request({ work }))).rejects.toThrow(/another chat template/);
  });
});

describe('an end before the end', () => {
  it('gives up at a signal, and plays the next rollout as ever', async () => {
    const expected = await two.play(request());
    const controller = new AbortController();
    const run = two.play(request({ drawing: { ...drawing, maxCompletionLength: 10_000 }, signal: controller.signal }));
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 100);
    await expect(run).rejects.toThrow('enough');
    expect(await two.play(request())).toEqual(expected);
    await expect(two.play(request({ signal: controller.signal }))).rejects.toThrow('enough');
  });

  it('makes new environments after a rollout that was given up', async () => {
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const workers = await start({ counts });
    const controller = new AbortController();
    const slow = { ...drawing, maxCompletionLength: 1000 };
    const run = workers.play(request({ ...inTasks, drawing: slow, signal: controller.signal }));
    while (Atomics.load(counts, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await expect(run).rejects.toThrow(/aborted/);
    expect(await workers.play(request(inTasks))).toHaveLength(12);
    expect(Atomics.load(counts, 1)).toBe(6);
  });

  it('frees what players hold when they are disposed', async () => {
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const workers = await start({ counts }, { workers: 2, shardSize: 1 });
    await workers.play(request(inTasks));
    await workers.dispose();
    expect([...counts.subarray(1)]).toEqual([6, 2]);
    await expect(workers.play(request())).rejects.toThrow(/the workers were disposed/);
  });

  it('is over at once when the workers are disposed amid a rollout, also where an environment never answers', async () => {
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const workers = await start({ counts, at: { name: 'task 1', what: 'hang' } });
    const run = workers.play(request(inTasks));
    const failed = expect(run).rejects.toThrow(/the workers were disposed/);
    while (Atomics.load(counts, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await workers.dispose();
    await failed;
  });
});
