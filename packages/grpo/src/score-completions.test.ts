// Scoring: failures with reasons, functions that do not apply, bounded concurrency through common, metrics.
import { rewardPerSample } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { scoreCompletions, type Completion, type CompletionReward } from './score-completions.js';

const completions = [1, 2, 3, 4].map((row): Completion<number> => ({
  row,
  completion: `${row}`,
  ids: [row],
  finished: 'end',
}));
const value: CompletionReward<number> = {
  name: 'value',
  score: (samples) => samples.map(({ ids }) => ({ value: ids[0]! })),
};

describe('scoreCompletions', () => {
  it('asks every function about every completion, sync or async', async () => {
    const even: CompletionReward<number> = {
      name: 'even',
      score: (samples) => Promise.resolve(samples.map(({ row }) => (row % 2 === 0 ? { value: 1 } : undefined))),
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

  it('takes the functions of common, so many samples at a time as they say', async () => {
    let [open, most] = [0, 0];
    const slow = rewardPerSample<number>({
      name: 'slow',
      concurrency: 3,
      score: async ({ row }) => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 3 * (5 - row)));
        open--;
        return row;
      },
    });
    const { scores } = await scoreCompletions(completions, [slow, value]);
    expect(most).toBe(3);
    expect(scores).toEqual([[1, 1], [2, 2], [3, 3], [4, 4]]); // prettier-ignore
  });

  it('keeps a failure to its completion, with the reason', async () => {
    const fragile = rewardPerSample<number>({
      name: 'fragile',
      score: ({ row }) => {
        if (row === 2) throw new Error('no such unit test');
        return row === 3 ? Promise.reject(new Error('timed out')) : row === 4 ? NaN : 1;
      },
    });
    const { scores, failures, metrics } = await scoreCompletions(completions, [fragile, value]);
    expect(scores).toEqual([[1, 1], [NaN, 2], [NaN, 3], [NaN, 4]]); // prettier-ignore
    expect(failures).toEqual([
      { completion: 1, function: 'fragile', reason: 'no such unit test' },
      { completion: 2, function: 'fragile', reason: 'timed out' },
      { completion: 3, function: 'fragile', reason: 'the score is NaN, not a finite number' },
    ]);
    expect(metrics['rewards/fragile/mean']).toBe(1);
  });

  it('leaves a function that fails as a whole without any score', async () => {
    const broken: CompletionReward<number> = {
      name: 'broken',
      score: () => {
        throw new Error('the server is down');
      },
    };
    const { scores, failures } = await scoreCompletions(completions.slice(0, 2), [value, broken]);
    expect(scores).toEqual([[1, NaN], [2, NaN]]); // prettier-ignore
    expect(failures.map(({ reason }) => reason)).toEqual(['the server is down', 'the server is down']);
  });

  it.each<[string, CompletionReward<number>[]]>([
    ['no function', []],
    ['two of one name', [value, value]],
    ['one that gives too few rewards', [{ name: 'short', score: () => [{ value: 1 }] }]],
  ])('refuses %s', async (_, functions) => {
    await expect(scoreCompletions(completions, functions)).rejects.toMatchObject({ code: 'reward-functions' });
  });
});
