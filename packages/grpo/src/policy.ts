// What the training loop knows of what it trains: a weaver, a trigger or an adapter of the reasoner, seen as a policy.
import type { Gradients } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import type { Episode } from './episode.js';
import type { ObjectiveOptions, PassOptions, PolicyActions } from './objective-options.js';

/** An episode and what it is worth. */
export interface JudgedEpisode {
  episode: Episode<unknown>;
  advantage: number;
  /** NaN where it could not be told. */
  reward: number;
  /** Whether it is learnt from. */
  counts: boolean;
}

/** The actions of an episode, with what the policy needs to find their probabilities. */
export type PolicyRow = Omit<PolicyActions, 'logProbabilities'>;

/** Losses of the parts of a step add up. */
export interface PolicyGradients {
  loss: number;
  /** The caller disposes. */
  gradients: Gradients;
  /** `actions`: those that count. */
  metrics: Record<string, number> & { actions: number };
}

export interface Policy<Row extends PolicyRow> {
  /** Everything that training changes. */
  parameters(): Map<string, tf.Variable>;
  /** An episode as actions. */
  row(judged: JudgedEpisode): Row;
  /** Of the actions of each row, without gradients. */
  logProbabilities(rows: readonly Row[]): Promise<ArrayLike<number>[]>;
  gradients(rows: readonly Row[], options: ObjectiveOptions & Pick<PassOptions, 'onForward'>): Promise<PolicyGradients>;
  /**
   * Completes the rows of a step with what depends on all of them, before it is cut into batches.
   * @param rows - whole groups, in their order.
   */
  prepare?(rows: readonly Row[], batchSize: number): Promise<readonly Row[]>;
  /** Whether a row has a gradient whatever its advantage is. @default none has */
  drawsAt?(row: Row): boolean;
  /** What keeps episodes from teaching this policy anything, in words. */
  obstacle?(episodes: readonly Episode<unknown>[]): string | undefined;
}

/** Items in runs of at most `size`. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
