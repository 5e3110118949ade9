// Plays episodes of many turns: one environment for each, turns generated in batches, finished episodes leave.
import { MemGenError, type Environment, type Random } from '@memgen/common';
import { ChatTemplate, contextLength, generate, type GeneratedRow, type GeneratingModel } from '@memgen/core';
import { Arrivals } from './arrivals.js';
import type { Episode } from './episode.js';
import { generateOptions, type GenerationSettings } from './generation-settings.js';
import { RunningEpisode } from './running-episode.js';

export interface EpisodeSettings extends GenerationSettings {
  /** @default MemGen's ChatML */
  template?: ChatTemplate;
  /** Most tokens of an episode in all: prompt, turns and observations; never more than the context. @default 2048 */
  maxLength?: number;
  /** Most tokens of an observation; one that is cut ends in `...`. @default no limit */
  maxObservationLength?: number;
  /**
   * `"ready"`: episodes whose environments have answered go on together, without waiting for the others. `"all"`: every
   * turn waits for all environments. What a row draws is the same in both, but results of a batch may differ in their last
   * bits with its company: where environments wait for the outside world, only `"all"` repeats to the bit.
   * @default "ready"
   */
  gathering?: 'ready' | 'all';
}

export interface PlayEpisodesOptions<Task> extends EpisodeSettings {
  reasoner: GeneratingModel;
  /** One for each task; the caller disposes. */
  environments: readonly Environment<Task>[];
  tasks: readonly Task[];
  /** Each episode draws from forks of its own. */
  random: Random;
  /** Episodes that start alike: their environments are given the same chance. @default 1 */
  groupSize?: number;
  signal?: AbortSignal;
}

/**
 * Ids and log-probabilities are kept as they were generated and never made again from text; observations are appended as
 * the chat template has them. Latents are woven behind the prompt of every turn; those of earlier turns are not visible
 * to later ones, as in training. An environment that fails ends its episode with a reward of NaN and the reason.
 *
 * @returns episodes in the order of the tasks.
 * @throws MemGenError `episodes`, `episode-template`, those of `generate`; the signal's reason when aborted.
 */
export async function playEpisodes<Task>({
  reasoner,
  environments,
  tasks,
  random,
  groupSize = 1,
  template = ChatTemplate.chatMl(),
  maxLength = 2048,
  maxObservationLength = Infinity,
  gathering = 'ready',
  signal,
  ...generation
}: PlayEpisodesOptions<Task>): Promise<Episode<Task>[]> {
  checkEnvironments(environments, tasks.length);
  const { decoder, tokenizer } = reasoner;
  const limits = { maxLength: Math.min(maxLength, contextLength(decoder.config)), maxObservationLength };
  const all = tasks.map((task, i) => new RunningEpisode(i, task, environments[i]!, { tokenizer, template }, limits));
  const own = new AbortController();
  const stopping = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  const arrivals = new Arrivals<RunningEpisode<Task>>();
  try {
    for (const episode of all) {
      const chance = random.fork(`environment ${Math.floor(episode.index / groupSize)}`);
      arrivals.expect(episode, episode.begin(chance, stopping));
    }
    for (;;) {
      const arrived = await arrivals.take(gathering);
      stopping.throwIfAborted();
      if (arrived.length === 0) break;
      const active = arrived.filter(({ isDone }) => !isDone).sort((a, b) => a.index - b.index);
      if (active.length === 0) continue;
      const rows = await generateTurns(reasoner, active, { ...generation, random, signal: stopping });
      stopping.throwIfAborted();
      rows.forEach((row, b) => {
        const episode = active[b]!;
        episode.take(row);
        arrivals.expect(episode, episode.step(stopping));
      });
    }
    return all.map((episode) => episode.result());
  } finally {
    // Environments that are still at work after a failure need not go on.
    own.abort();
  }
}

async function generateTurns<Task>(
  reasoner: GeneratingModel,
  active: readonly RunningEpisode<Task>[],
  { random, signal, ...settings }: GenerationSettings & { random: Random; signal: AbortSignal },
): Promise<GeneratedRow[]> {
  const options = generateOptions(settings);
  const { prompts, samples } = sharedPrompts(active.map(({ ids }) => ids));
  return generate(reasoner, prompts, {
    ...options,
    maxNewTokens: Math.min(options.maxNewTokens, Math.max(...active.map(({ room }) => room))),
    samplesPerPrompt: samples,
    stopStrings: active[0]!.environment.stopStrings,
    keepStopString: true,
    logProbabilities: true,
    seeds: active.map(({ index, turn }) => random.fork(`episode ${index} turn ${turn}`).uint32()),
    // Also lets environments get on between tokens.
    signal,
  });
}

/** Prompts that stand equally often side by side are read once for all: the first turn of groups. */
export function sharedPrompts(prompts: readonly (readonly number[])[]): {
  prompts: (readonly number[])[];
  samples: number;
} {
  const isSame = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((id, t) => id === b[t]);
  const starts = prompts.flatMap((prompt, i) => (i > 0 && isSame(prompt, prompts[i - 1]!) ? [] : [i]));
  const samples = prompts.length / starts.length;
  const isEven = starts.every((start, k) => start === k * samples);
  return isEven ? { prompts: starts.map((start) => prompts[start]!), samples } : { prompts: [...prompts], samples: 1 };
}

function checkEnvironments(environments: readonly Environment<unknown>[], tasks: number): void {
  const kinds = new Set(environments.map(({ stopStrings }) => JSON.stringify(stopStrings)));
  if (tasks > 0 && environments.length === tasks && new Set(environments).size === tasks && kinds.size === 1) return;
  throw new MemGenError({
    code: 'episodes',
    message: 'every episode needs an environment of its own, all with the same stop strings',
    got: `${tasks} tasks, ${new Set(environments).size} environments, ${kinds.size} kinds of stop strings`,
  });
}
