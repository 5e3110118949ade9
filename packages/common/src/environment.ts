// What a task of many turns looks like to a trainer or an evaluation.
import type { ChatMessage } from './chat.js';
import type { Random } from './random.js';

export interface EnvironmentResetOptions {
  /** The episode's own stream of chance. */
  random: Random;
  signal?: AbortSignal;
}

export interface EnvironmentStep {
  /** What counted of the text that was given: it becomes the assistant's message of this turn. */
  action: string;
  /** Answer of the environment, the next user message; undefined once the episode is done. */
  observation: string | undefined;
  /** Reward of this turn; an episode's reward is the sum over its turns. */
  reward: number;
  done: boolean;
  /** For records and reports, e.g. what was searched for; plain data. */
  info: Readonly<Record<string, unknown>>;
}

/**
 * One episode at a time: `reset`, then `step` until it is done or {@link Environment.maximumTurns} are over. Each row
 * of a batch has an environment of its own, so that rows finish, fail and wait on their own; calls may be slow.
 */
export interface Environment<Task> {
  /** The model's turn ends after the first of these that it writes. */
  readonly stopStrings: readonly string[];
  /** Turns of the model, at least 1. An episode that reaches them without being done ends with what it has earned. */
  readonly maximumTurns: number;
  /** Starts an episode, whatever state the last one was in. Returns the first messages; the last is the user's. */
  reset(task: Task, options: EnvironmentResetOptions): Promise<ChatMessage[]>;
  /**
   * Takes the text of one turn as the model wrote it, without special tokens.
   *
   * @throws if there is no episode, or it is done; other errors end the episode, not the run.
   */
  step(text: string, options?: { signal?: AbortSignal }): Promise<EnvironmentStep>;
  /** Frees what the environment holds; afterwards it cannot be used. */
  dispose(): Promise<void>;
}
