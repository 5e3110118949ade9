// Scoring: bounded concurrency, failures with reasons, functions that do not apply, metrics.
import { describe, expect, it } from 'vitest';
import { scoreCompletions, type Completion, type RewardFunction } from './score-completions.js';

const completions = [1, 2, 3, 4].map((task): Completion<number> => ({ task, text: `${task}`, ids: [task], finished: 'end' })); // prettier-ignore
const value: RewardFunction<number> = { name: 'value', score: ({ task }) => task };

describe('scoreCompletions', () => {
  it('asks every function about every completion, sync or async', async () => {
    const even: RewardFunction<number> = {
      name: 'even',
      score: ({ task }) => Promise.resolve(task % 2 === 0 ? 1 : undefined),
    };
    const { scores, failures, metrics } = await scoreCompletions(completions, [value, even]);
    expect(scores).toEqual([[1, undefined], [2, 1], [3, undefined], [4, 1]]); // prettier-ignore
    expect(failures).toEqual([]);
    expect(metrics).toEqual({
      'rewards/value/mean': 2.5,
      'rewards/value/std': Math.sqrt(5 / 3),
      'rewards/even/mean': 1,
      'rewards/even/std': 0,
    });
  });

  it('never awaits more than the given number at a time, and that many where it can', async () => {
    let [open, most] = [0, 0];
    const slow: RewardFunction<number> = {
      name: 'slow',
      score: async ({ task }) => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 3 * (5 - task)));
        open--;
        return task;
      },
    };
    const { scores } = await scoreCompletions(completions, [slow, slow], { concurrency: 3 });
    expect(most).toBe(3);
    expect(scores).toEqual([[1, 1], [2, 2], [3, 3], [4, 4]]); // prettier-ignore
  });

  it('keeps a failure to its completion, with the reason', async () => {
    const fragile: RewardFunction<number> = {
      name: 'fragile',
      score: ({ task }) => {
        if (task === 2) throw new Error('no such unit test');
        return task === 3 ? Promise.reject(new Error('timed out')) : task === 4 ? NaN : 1;
      },
    };
    const { scores, failures, metrics } = await scoreCompletions(completions, [fragile, value]);
    expect(scores).toEqual([[1, 1], [NaN, 2], [NaN, 3], [NaN, 4]]); // prettier-ignore
    expect(failures).toEqual([
      { completion: 1, function: 'fragile', reason: 'no such unit test' },
      { completion: 2, function: 'fragile', reason: 'timed out' },
      { completion: 3, function: 'fragile', reason: 'the score is NaN, not a finite number' },
    ]);
    expect(metrics['rewards/fragile/mean']).toBe(1);
  });

  it('needs a function', async () => {
    await expect(scoreCompletions(completions, [])).rejects.toMatchObject({ code: 'reward-functions' });
    await expect(scoreCompletions(completions, [value], { concurrency: 0 })).rejects.toMatchObject({
      code: 'reward-functions',
    });
  });
});
