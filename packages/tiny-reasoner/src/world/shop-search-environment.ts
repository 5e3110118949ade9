// Two turns in the shop: ask for prices, then answer with them.
import { MemGenError, type ChatMessage, type Environment, type EnvironmentStep } from '@memgen/common';
import { boxedAnswer, exactMatch } from './scoring.js';
import { askedThings, shownPrices, type ShopSearchTask } from './shop-search.js';

/**
 * The first turn asks (`Cost: bowl, clock?`) and is shown the prices; the second answers in a box, for a reward of 1 where it
 * is right. An answer without a question earns nothing, however lucky: the episode ends there. `info` of a step:
 * `{kind: "ask", asked}`, `{kind: "answer", answer}` or `{kind: "invalid"}`.
 */
export class ShopSearchEnvironment implements Environment<ShopSearchTask> {
  readonly stopStrings = ['?'];
  readonly maximumTurns = 2;
  private task: ShopSearchTask | undefined;
  private hasAsked = false;

  reset(task: ShopSearchTask): Promise<ChatMessage[]> {
    this.task = task;
    this.hasAsked = false;
    return Promise.resolve([{ role: 'user', content: task.question }]);
  }

  /** @throws MemGenError `environment-done` without an episode. */
  step(text: string): Promise<EnvironmentStep> {
    const { task } = this;
    if (task === undefined) {
      const error = new MemGenError({
        code: 'environment-done',
        message: 'there is no episode to go on with',
        hint: 'call reset before the first step, and again once an episode is done',
      });
      return Promise.reject(error);
    }
    const asked = this.hasAsked ? undefined : askedThings(text);
    if (asked !== undefined) {
      this.hasAsked = true;
      const observation = shownPrices(task, asked);
      return Promise.resolve({ action: text, observation, reward: 0, done: false, info: { kind: 'ask', asked } });
    }
    this.task = undefined;
    const answer = boxedAnswer(text);
    const reward = this.hasAsked ? exactMatch(text, task.answer) : 0;
    const info = answer === undefined ? { kind: 'invalid' } : { kind: 'answer', answer };
    return Promise.resolve({ action: text, observation: undefined, reward, done: true, info });
  }

  dispose(): Promise<void> {
    this.task = undefined;
    return Promise.resolve();
  }
}
