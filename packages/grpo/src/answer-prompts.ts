// Episodes of one turn: several completions of each prompt, which is read once for all of them.
import type { Random } from '@memgen/common';
import { generate, type GeneratingModel } from '@memgen/core';
import type { Episode } from './episode.js';
import { generateOptions, type GenerationSettings } from './generation-settings.js';

/** A prompt, and what a reward function needs to know about it. */
export interface PolicyPrompt<Task> {
  ids: readonly number[];
  task: Task;
}

/** @returns `groupSize` episodes for each prompt, side by side. @throws the signal's reason when aborted. */
export async function answerPrompts<Task>(
  reasoner: GeneratingModel,
  prompts: readonly PolicyPrompt<Task>[],
  random: Random,
  { groupSize, signal, ...settings }: GenerationSettings & { groupSize: number; signal?: AbortSignal },
): Promise<Episode<Task>[]> {
  const rows = await generate(
    reasoner,
    prompts.map(({ ids }) => ids),
    {
      ...generateOptions(settings),
      samplesPerPrompt: groupSize,
      random,
      logProbabilities: true,
      ...(signal && { signal }),
    },
  );
  signal?.throwIfAborted();
  return rows.map(({ ids, augmentations, text, finished, logProbabilities }, i): Episode<Task> => {
    const prompt = prompts[Math.floor(i / groupSize)]!;
    return {
      task: prompt.task,
      ids: [...prompt.ids, ...ids],
      turns: [{ start: prompt.ids.length, ids, augmentations, text, ...(logProbabilities && { logProbabilities }) }],
      end: finished === 'length' ? 'length' : 'done',
    };
  });
}
