// Several reward functions: weights, functions that do not apply, failures.
import { describe, expect, it } from 'vitest';
import { combineRewards } from './rewards.js';

describe('combineRewards', () => {
  it('adds the scores up, weighted', () => {
    expect([...combineRewards([[1, 0.5], [0, 2]])]).toEqual([1.5, 2]); // prettier-ignore
    expect([...combineRewards([[1, 0.5], [0, 2]], [2, 0.1])]).toEqual([2.05, 0.2]); // prettier-ignore
  });

  it('leaves out functions that do not apply, and marks rows that failed or that no function scored', () => {
    const rewards = combineRewards([[1, undefined], [undefined, undefined], [1, NaN], [NaN, undefined]]); // prettier-ignore
    expect([...rewards]).toEqual([1, NaN, NaN, NaN]);
  });

  it('wants a score from each function', () => {
    expect(() => combineRewards([[1, 2], [1]])).toThrow(expect.objectContaining({ code: 'reward-weights' }));
    expect(() => combineRewards([[1, 2]], [1])).toThrow(/completion 0.*\n.*2 scores\n.*1, one per weight/);
  });
});
