// Every public call leaves no tensor behind but what it returns: when it succeeds, fails, is aborted, or cannot read a tensor.
import { Random } from '@memgen/common';
import { LoraAdapter, startBackend, type Decoder, type Trigger, type Weaver, type WovenRow } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { expectNothingLeft, expectNothingLeftByFailedReads } from '../../core/src/tensor-leaks.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import {
  adapterLogProbabilities,
  adapterObjective,
  answerPrompts,
  completionLogProbabilities,
  parameterValues,
  playEpisodes,
  trainAdapterGrpo,
  trainTriggerGrpo,
  trainWeaverGrpo,
  triggerLogProbabilities,
  triggerObjective,
  weaverObjective,
  type AdapterGrpoOptions,
  type CompletionReward,
  type DecidedText,
} from './index.js';
import { CountingEnvironment, type CountingTask } from './test-environments.test-helper.js';

const tokenizer = smallTokenizer({ config: { pad_token: '!' } });
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
const prompts = [1, 2].map((seed) => ({ ids: randomIds(3 + seed, seed), task: null }));
const upper: CompletionReward<null> = {
  name: 'upper',
  score: (samples) => samples.map(({ ids }) => ({ value: ids.filter((id) => id >= 16).length / ids.length })),
};
const failing: CompletionReward<null> = {
  name: 'failing',
  score: () => {
    throw new Error('no');
  },
};
/** A rollout for two steps, with old and reference policies. */
const settings = {
  rewards: [upper],
  groupSize: 3,
  promptsPerStep: 2,
  maxCompletionLength: 4,
  batchSize: 3,
  steps: 2,
  iterations: 2,
  beta: 0.1,
  schedule: { kind: 'constant', peak: 1e-4 },
} as const;

let reasoner: { decoder: Decoder; tokenizer: typeof tokenizer };
/** Over a vocabulary of all that a chat template writes. */
let talking: Decoder;
let weaver: Weaver;
let trigger: Trigger;
let adapter: LoraAdapter;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  const decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  talking = await frozenDecoder(tinyConfig({ vocab_size: tokenizer.vocabularySize, max_position_embeddings: 512 }));
  reasoner = { decoder, tokenizer };
  weaver = tinyWeaver(decoder);
  trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(3));
  adapter = LoraAdapter.initialize(decoder.config, lora, Random.fromSeed(1));
  // The step decoders of a reasoner are made once, at its first generation, and live as long as it.
  for (const part of [{ weaver, trigger }, { adapter }]) await answers(part);
  await play({});
});
afterAll(() => {
  for (const part of [adapter, trigger, weaver, reasoner.decoder, talking]) part.dispose();
});

function answers(part: object, signal?: AbortSignal): Promise<unknown> {
  const own = { groupSize: 3, maxCompletionLength: 4, ...part, ...(signal !== undefined && { signal }) };
  return answerPrompts(reasoner, prompts, Random.fromSeed(1), own);
}

function play(own: { signal?: AbortSignal; turns?: number; name?: string }): Promise<unknown> {
  const { turns = 2, name = 'count', signal } = own;
  const tasks = [turns, 1].map((count): CountingTask => ({ name, turns: count }));
  return playEpisodes({
    reasoner: { decoder: talking, tokenizer },
    tasks,
    environments: tasks.map(() => new CountingEnvironment()),
    random: Random.fromSeed(1),
    maxCompletionLength: 4,
    ...(signal !== undefined && { signal }),
  });
}

type Options = Omit<AdapterGrpoOptions<null>, 'penalty'>;
const trainers: [string, (options: Options) => Promise<unknown>][] = [
  ['weaver', (options) => trainWeaverGrpo(reasoner, weaver, prompts, { ...options, trigger })],
  [
    'trigger',
    (options) => trainTriggerGrpo(reasoner, trigger, prompts, { ...options, weaver, penalty: { lambda: 0.1 } }),
  ],
  ['adapter', (options) => trainAdapterGrpo(reasoner, adapter, prompts, options)],
];

describe.each(trainers)('GRPO of the %s', (_, train) => {
  it('trains, and stops when it is asked to', () =>
    expectNothingLeft(async () => {
      await train(settings);
      await train({ ...settings, signal: AbortSignal.abort() });
      const stop = new AbortController();
      const onStep = () => {
        stop.abort();
      };
      await train({ ...settings, iterations: 1, signal: stop.signal, onStep });
    }));

  it('fails by settings, rewards and hooks', () =>
    expectNothingLeft(async () => {
      await expect(train({ ...settings, groupSize: 1 })).rejects.toThrow();
      await expect(train({ ...settings, rewards: [failing], patience: 1 })).rejects.toThrow();
      const failure = () => Promise.reject(new Error('no'));
      await expect(train({ ...settings, onStep: failure })).rejects.toThrow('no');
      const checkpoint = { due: () => true, save: failure };
      await expect(train({ ...settings, checkpoint })).rejects.toThrow('no');
    }));

  it('fails at each read of a tensor', async () => {
    expect(await expectNothingLeftByFailedReads(() => train(settings), 30)).toBeGreaterThan(6);
  });
});

/** Sequences and their worth; of the second kind the last one is worth no number. */
const worth = (advantage: (b: number) => number) =>
  variedRows.map((sequence, b) => ({ sequence, advantage: advantage(b) }));
const [rows, wrongRows] = [worth((b) => b - 2), worth((b) => (b === 4 ? NaN : 1))];
const outside: WovenRow[] = [{ ...variedRows[0]!, ids: variedRows[0]!.ids.map(() => 999) }];
const texts: DecidedText[] = [9, 6].map((length, seed) => ({
  ids: randomIds(length, seed),
  decisions: [{ index: 4, weave: true }, { index: 6, weave: false }], // prettier-ignore
}));
const decisions = texts.map((text, b) => ({ text, advantage: b - 0.5 }));

describe('objectives', () => {
  const given = { padId: 0 };
  const cases: [string, () => Promise<unknown>, () => Promise<unknown>, (() => Promise<unknown>)[]][] = [
    [
      'of a weaver',
      () => completionLogProbabilities(reasoner.decoder, variedRows, { weaver }),
      async () => (await weaverObjective(reasoner.decoder, rows, { weaver })).gradients,
      [
        () => completionLogProbabilities(reasoner.decoder, outside, { weaver }),
        () => weaverObjective(reasoner.decoder, wrongRows, { weaver }),
      ],
    ],
    [
      'of an adapter',
      () => adapterLogProbabilities(reasoner.decoder, variedRows, { adapter }),
      async () => (await adapterObjective(reasoner.decoder, rows, { adapter })).gradients,
      [
        () => adapterLogProbabilities(reasoner.decoder, outside, { adapter }),
        () => adapterObjective(reasoner.decoder, wrongRows, { adapter }),
      ],
    ],
    [
      'of a trigger',
      () => triggerLogProbabilities(texts, { trigger, ...given }),
      async () => (await triggerObjective(decisions, { trigger, ...given })).gradients,
      [
        () => triggerLogProbabilities([{ ids: [1], decisions: [] }], { trigger, ...given }),
        () => triggerObjective([{ ...decisions[0]!, advantage: NaN }], { trigger, ...given }),
      ],
    ],
  ];

  it.each(cases)('%s', async (_, probabilities, gradients, failures) => {
    const tensors = async () => [...((await gradients()) as Map<unknown, never>).values()];
    await expectNothingLeft(probabilities);
    await expectNothingLeft(tensors);
    for (const failure of failures) {
      await expectNothingLeft(async () => {
        await expect(failure()).rejects.toThrow();
      });
    }
    expect(await expectNothingLeftByFailedReads(probabilities)).toBe(1);
    expect(await expectNothingLeftByFailedReads(tensors)).toBe(1);
  });

  it('values of parameters', async () => {
    await expectNothingLeft(() => parameterValues(adapter.parameters()));
    expect(await expectNothingLeftByFailedReads(() => parameterValues(adapter.parameters()))).toBe(4);
  });
});

describe('rollouts', () => {
  it('of one turn, also aborted', () =>
    expectNothingLeft(async () => {
      await answers({ weaver, trigger });
      await answers({ adapter });
      await expect(answers({ weaver }, AbortSignal.abort())).rejects.toThrow();
      await expect(answers({ groupSize: 0 })).rejects.toThrow();
    }));

  it('of many turns, also aborted, and where environments fail', () =>
    expectNothingLeft(async () => {
      await play({});
      await play({ name: 'unknown' });
      await expect(play({ signal: AbortSignal.abort() })).rejects.toThrow();
      const stop = new AbortController();
      const played = play({ signal: stop.signal, turns: 5 });
      setTimeout(() => {
        stop.abort();
      }, 1);
      await expect(played).rejects.toThrow();
    }));

  it('whose tensors cannot be read', async () => {
    expect(await expectNothingLeftByFailedReads(() => answers({ weaver, trigger }))).toBeGreaterThan(0);
    // On wasm nothing but latents and judgements is read: a step decoder has its own memory.
    expect(await expectNothingLeftByFailedReads(() => play({}))).toBe(0);
  });
});
