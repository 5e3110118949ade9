// An environment for measurements: it answers at once, asks again after the first turn and ends with the second.
import type { ChatMessage, Environment, EnvironmentStep } from '@memgen/common';

export class TwoTurns implements Environment<string> {
  readonly stopStrings = [];
  readonly maximumTurns = 2;
  private turn = 0;

  /** @param reward - of the text of a turn. */
  constructor(private readonly reward: (text: string) => number) {}

  reset(question: string): Promise<ChatMessage[]> {
    this.turn = 0;
    return Promise.resolve([{ role: 'user', content: question }]);
  }

  step(text: string): Promise<EnvironmentStep> {
    this.turn++;
    const done = this.turn === this.maximumTurns;
    const observation = done ? undefined : 'Say it again in other words, please.';
    return Promise.resolve({ action: text, observation, reward: this.reward(text), done, info: {} });
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
