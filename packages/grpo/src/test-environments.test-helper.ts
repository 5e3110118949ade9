// A small environment for tests of episodes: it asks again until it has seen enough turns.
import type { ChatMessage, Environment, EnvironmentStep } from '@memgen/common';

export interface CountingTask {
  name: string;
  /** Turns until it is done. */
  turns: number;
  /** Shown after each turn but the last. @default "again" */
  observation?: string;
  /** Reward of a turn. @default 1 */
  reward?: (text: string) => number;
  /** Waited for in each step. */
  wait?: (turn: number) => Promise<void>;
}

export class CountingEnvironment implements Environment<CountingTask> {
  readonly stopStrings = ['?'];
  /** Text of the model's turns, of all episodes. */
  readonly seen: string[] = [];
  isDisposed = false;
  private task: CountingTask | undefined;
  private turn = 0;

  constructor(readonly maximumTurns = 5) {}

  reset(task: CountingTask): Promise<ChatMessage[]> {
    this.task = task;
    this.turn = 0;
    if (task.name === 'unknown') return Promise.reject(new Error('there is no such task'));
    return Promise.resolve([
      { role: 'system', content: 'Count.' },
      { role: 'user', content: task.name },
    ]);
  }

  async step(text: string): Promise<EnvironmentStep> {
    const { turns, observation = 'again', reward = () => 1, wait } = this.task!;
    this.turn++;
    this.seen.push(text);
    await wait?.(this.turn);
    const done = this.turn >= turns;
    return { action: text, observation: done ? undefined : observation, reward: reward(text), done, info: {} };
  }

  dispose(): Promise<void> {
    this.isDisposed = true;
    return Promise.resolve();
  }
}
