// The common player over the tiny reasoner: trigger and weaver, an adapter, environments; what it refuses.
import { Random } from '@memgen/common';
import { assistantHeader, loadReasoner, LoraAdapter, startBackend, type Reasoner } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShop, exactMatch, modelFolder } from '../../../tiny-reasoner/src/index.js';
import { LatentWeaver } from '../../../weaver/src/index.js';
import { answerPrompts, type PolicyPrompt } from '../answer-prompts.js';
import type { CompletionReward } from '../score-completions.js';
import { trainTriggerGrpo } from '../trigger-grpo.js';
import { reasonerPlayer, type ReasonerPlayerOptions } from './reasoner-player-module.js';
import { RolloutWorkers } from './rollout-workers.js';
import type { PlayedEpisode } from './worker-messages.js';

const lora = { r: 4, alpha: 8, targetModules: ['q_proj', 'v_proj'] };
const weaverPart = {
  module: new URL('../../../weaver/src/index.ts', import.meta.url),
  name: 'LatentWeaver',
  config: { lora, promptLatents: 4 },
};
const triggerPart = {
  module: new URL('../../../trigger/src/index.ts', import.meta.url),
  name: 'LanguageModelTrigger',
  config: { lora },
};
const environmentPart = {
  module: new URL('./test-player.test-helper.ts', import.meta.url),
  name: 'createCountingEnvironment',
  config: { maximumTurns: 2 },
};

let reasoner: Reasoner;
let prompts: PolicyPrompt<{ answer: string }>[];

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await loadReasoner(modelFolder());
  prompts = createShop({ seed: 1 })
    .trainingRows(4)
    .map(({ messages: [question], answer }) => ({
      ids: reasoner.tokenizer.encode(`<|im_start|>user\n${question!.content}<|im_end|>\n${assistantHeader}`),
      task: { answer },
    }));
});
afterAll(() => {
  reasoner.decoder.dispose();
});

const start = (workers: number, options: Omit<ReasonerPlayerOptions, 'model'>) =>
  RolloutWorkers.start({ workers, player: reasonerPlayer({ model: modelFolder(), ...options }) });

describe('reasonerPlayer', () => {
  it('trains a trigger over a weaver to the same weights with one worker and with two', async () => {
    const answer: CompletionReward<{ answer: string }> = {
      name: 'answer',
      score: (samples) => samples.map(({ row, completion }) => ({ value: exactMatch(completion, row.answer) })),
    };
    const trained = async (count: number): Promise<Uint8Array[]> => {
      const { decoder } = reasoner;
      const hidden = decoder.config.hiddenSize;
      const weaver = LatentWeaver.initialize(decoder, hidden, weaverPart.config, Random.fromSeed(1));
      const trigger = LanguageModelTrigger.initialize(decoder, triggerPart.config, Random.fromSeed(2));
      const workers = await start(count, { weaver: weaverPart, trigger: triggerPart });
      await trainTriggerGrpo(reasoner, trigger, prompts, {
        weaver,
        allowUntrainedWeaver: true,
        rewards: [answer, { name: 'brief', score: (all) => all.map(({ ids }) => ({ value: 1 / ids.length })) }],
        groupSize: 4,
        promptsPerStep: 2,
        maxCompletionLength: 8,
        steps: 3,
        schedule: { kind: 'constant', peak: 0.01 },
        rollouts: workers,
      });
      await workers.dispose();
      const values = [...trigger.parameters().values()].map(
        (variable) => new Uint8Array(variable.dataSync().slice().buffer),
      );
      weaver.dispose();
      trigger.dispose();
      return values;
    };
    const [one, two] = [await trained(1), await trained(2)];
    expect(two).toEqual(one);
  });

  it('plays with an adapter, and in environments that a module makes', async () => {
    const { decoder } = reasoner;
    const adapter = LoraAdapter.initialize(decoder.config, lora, Random.fromSeed(3));
    for (const variable of adapter.parameters().values()) variable.assign(variable.add(0.02));
    const workers = await start(1, { adapter: lora, environment: environmentPart });
    const drawing = { groupSize: 2, maxCompletionLength: 8 };
    const play = (work: Parameters<typeof workers.play>[0]['work']): Promise<PlayedEpisode[]> =>
      workers.play({ decoder, parts: { adapter }, drawing, random: Random.fromSeed(1), work });

    const random = Random.fromSeed(1).fork('shard 0');
    const expected = await answerPrompts(reasoner, prompts.slice(0, 1), random, { ...drawing, adapter });
    expect(await play({ prompts: [prompts[0]!.ids] })).toEqual(
      expected.map((episode) => ({ ...episode, task: undefined })),
    );

    const played = await play({ tasks: [{ name: 'count', turns: 5 }], turns: {} });
    expect(played.map(({ end, turns }) => [end, turns.length])).toEqual([
      ['turns', 2],
      ['turns', 2],
    ]);
    await workers.dispose();
    adapter.dispose();
  });

  it.each<[string, RegExp, Omit<ReasonerPlayerOptions, 'model'>]>([
    [
      'a class that the module does not export',
      /Weaver2[^]*LatentWeaver/,
      { weaver: { ...weaverPart, name: 'Weaver2' } },
    ],
    ['something else than a class', /initialize/, { trigger: { ...weaverPart, name: 'readWeaverTensors' } }],
  ])('refuses %s', async (_, message, options) => {
    const run = start(1, options);
    await expect(run).rejects.toMatchObject({ code: 'rollout-worker-start' });
    await expect(run).rejects.toThrow(message);
  });
});
