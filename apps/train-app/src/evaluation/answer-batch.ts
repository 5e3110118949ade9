// A batch of questions answered greedily, in one turn or in an environment.
import { Random, type Environment } from '@memgen/common';
import { generate, type ChatTemplate } from '@memgen/core';
import { playEpisodes } from '@memgen/grpo';
import type { Question, Task } from '../tasks/task.js';
import type { Arm } from './arm.js';
import { countPlaces, type KnownAnswer } from './given-answer.js';

export interface AskedQuestion {
  question: Question;
  /** The prompt in tokens. */
  ids: readonly number[];
}

export interface BatchOptions {
  arm: Arm;
  template: ChatTemplate;
  /** Of each turn. */
  maxNewTokens: number;
  score: Task['score'];
  environment?: (() => Environment<unknown>) | undefined;
  /** Limits of an episode. */
  episodes: { maxLength: number; maxObservationLength?: number | undefined };
  /** For environments that draw something. */
  seed: number;
  signal: AbortSignal;
}

/** @returns undefined when aborted. */
export async function answerBatch(
  asked: readonly AskedQuestion[],
  { arm, maxNewTokens, score, signal }: BatchOptions,
): Promise<KnownAnswer[] | undefined> {
  const { reasoner, weaver, trigger, adapter, weaving } = arm;
  const rows = await generate(
    reasoner,
    asked.map(({ ids }) => ids),
    { maxNewTokens, weaver, trigger, adapter, ...weaving, signal },
  );
  if (signal.aborted) return undefined;
  return Promise.all(
    rows.map(async ({ ids, augmentations }, b): Promise<KnownAnswer> => {
      const completion = reasoner.tokenizer.decode(ids, { skipSpecialTokens: true });
      const { correct } = await score(completion, asked[b]!.question);
      return { ids, completion, correct, ...countPlaces(augmentations) };
    }),
  );
}

/** Right is an episode with a reward of 1. @returns undefined when aborted. */
export async function playBatch(
  asked: readonly AskedQuestion[],
  { arm, template, maxNewTokens, environment, episodes: limits, seed, signal }: BatchOptions,
): Promise<KnownAnswer[] | undefined> {
  const { reasoner, weaver, trigger, adapter, weaving } = arm;
  const environments = asked.map(() => environment!());
  try {
    const episodes = await playEpisodes({
      reasoner,
      environments,
      tasks: asked.map(({ question }) => question.task),
      random: Random.fromSeed(seed).fork('test episodes'),
      template,
      maxLength: limits.maxLength,
      ...(limits.maxObservationLength !== undefined && { maxObservationLength: limits.maxObservationLength }),
      // Answers must not depend on which environment was quicker.
      gathering: 'all',
      weaver,
      trigger,
      adapter,
      ...weaving,
      temperature: 0,
      maxCompletionLength: maxNewTokens,
      signal,
    });
    return episodes.map(({ ids, turns, reward = 0 }): KnownAnswer => {
      const written = ids.slice(turns[0]?.start ?? ids.length);
      return {
        ids: written,
        completion: reasoner.tokenizer.decode(written, { skipSpecialTokens: true }),
        correct: reward >= 1,
        ...countPlaces(turns.flatMap(({ augmentations }) => augmentations)),
      };
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    await Promise.all(environments.map((one) => one.dispose()));
  }
}
