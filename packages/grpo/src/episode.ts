// What a model did in a task, over one turn or many: token ids exactly as they were read and written.
import type { ChatMessage } from '@memgen/common';
import { ignoredLabel, type GeneratedRow, type WovenRow } from '@memgen/core';
import type { DecidedText } from './trigger-decisions.js';

/** One turn of the model: it read everything before `start` and wrote `ids`. */
export interface EpisodeTurn extends Pick<GeneratedRow, 'ids' | 'augmentations' | 'text'> {
  /** Index of its first token in the ids of the episode. */
  start: number;
  /** Log-probability of each token as generation gave it: at temperature 1, before any cut. */
  logProbabilities?: readonly number[];
}

/**
 * How an episode ended: the environment was done (or the one turn came to its end), the most turns were taken, it became
 * too long, or the environment failed.
 */
export type EpisodeEnd = 'done' | 'turns' | 'length' | 'failed';

export interface Episode<Task> {
  task: Task;
  /** The prompt, then turns of the model and observations in turn. */
  ids: readonly number[];
  turns: readonly EpisodeTurn[];
  end: EpisodeEnd;
  /** Sum of the environment's rewards; NaN if it failed, absent where there is no environment. */
  reward?: number;
  /** Why the environment failed. */
  failure?: string;
  /** The conversation as the environment has it; absent where there is no environment. */
  messages?: readonly ChatMessage[];
}

/** Prompt and completion as they were generated: labels on the tokens written, points where latents went in. */
export function wovenSequence(
  prompt: readonly number[],
  { ids, augmentations }: Pick<GeneratedRow, 'ids' | 'augmentations'>,
): WovenRow {
  return {
    ids: [...prompt, ...ids],
    labels: [...prompt.map(() => ignoredLabel), ...ids],
    points: augmentations.flatMap((augmentation, i) =>
      augmentation === 1 ? [{ index: prompt.length + i, kind: i === 0 ? 'prompt' : 'inference' }] : [],
    ),
  };
}

/** One sequence for each turn: latents of one turn are not visible to the next, neither in generation nor in training. */
export function wovenTurns({ ids, turns }: Pick<Episode<unknown>, 'ids' | 'turns'>): WovenRow[] {
  return turns.map((turn) => wovenSequence(ids.slice(0, turn.start), turn));
}

/** The whole episode as one sequence without latents; what the model wrote is labelled, observations are not. */
export function labelledEpisode({ ids, turns }: Pick<Episode<unknown>, 'ids' | 'turns'>): WovenRow {
  const labels = ids.map(() => ignoredLabel as number);
  for (const turn of turns) turn.ids.forEach((id, i) => (labels[turn.start + i] = id));
  const end = lastWritten(turns);
  return { ids: ids.slice(0, end), labels: labels.slice(0, end), points: [] };
}

/** The decisions of all turns in one text: a trigger reads no latents, and what it reads never changes afterwards. */
export function decidedEpisode({ ids, turns }: Pick<Episode<unknown>, 'ids' | 'turns'>): DecidedText {
  return {
    ids: ids.slice(0, lastWritten(turns)),
    decisions: turns.flatMap(({ start, augmentations }) =>
      augmentations.flatMap((augmentation, i) =>
        augmentation === -100 ? [] : [{ index: start + i, weave: augmentation === 1 }],
      ),
    ),
  };
}

function lastWritten(turns: readonly EpisodeTurn[]): number {
  const last = turns.at(-1);
  return last === undefined ? 0 : last.start + last.ids.length;
}
