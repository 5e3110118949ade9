// An answer of an arm, and what is kept of it.
import type { Answer } from '@memgen/bench';
import type { Augmentation } from '@memgen/core';
import type { Question } from '../tasks/task.js';

/** An answer with what it was made of. */
export interface GivenAnswer extends Answer {
  row: Question;
  prompt: string;
  /** New tokens, the end token included; over several turns all behind the prompt. */
  ids: readonly number[];
  /** Places at which latents went in. */
  woven: number;
  /** Places at which they could have. */
  decisions: number;
}

/** What is to be kept of an answer; the rest follows from its row. */
export type KnownAnswer = Pick<GivenAnswer, 'ids' | 'completion' | 'correct' | 'woven' | 'decisions'>;

export function countPlaces(augmentations: readonly Augmentation[]): Pick<GivenAnswer, 'woven' | 'decisions'> {
  const decisions = augmentations.filter((place) => place !== -100);
  return { woven: decisions.filter((place) => place === 1).length, decisions: decisions.length };
}
