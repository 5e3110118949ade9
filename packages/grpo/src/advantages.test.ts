// Advantages by hand: groups, scales, groups without spread, completions without a reward.
import { describe, expect, it } from 'vitest';
import { groupAdvantages } from './advantages.js';

const rewards = [1, 0, 0.5, 0.25, 0.25, 1];

function expectClose(got: Float64Array, expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => { expect(value).toBeCloseTo(expected[i]!, 10); }); // prettier-ignore
}

describe('groupAdvantages', () => {
  it('divides by the deviation of the group (n - 1) plus 1e-4', () => {
    const { advantages, groups, metrics } = groupAdvantages(rewards, { groupSize: 3 });
    const deviation = 0.75 / Math.sqrt(3);
    expectClose(advantages, [
      0.5 / 0.5001,
      -0.5 / 0.5001,
      0,
      ...[-0.25, -0.25, 0.5].map((difference) => difference / (deviation + 1e-4)),
    ]);
    expect(groups.map(({ mean, scored }) => [mean, scored])).toEqual([[0.5, 3], [0.5, 3]]); // prettier-ignore
    expect(metrics.reward).toBe(0.5);
    expect(metrics.reward_std).toBeCloseTo((0.5 + deviation) / 2, 12);
    expect(metrics.frac_reward_zero_std).toBe(0);
  });

  it('divides by the deviation of the batch, or by nothing', () => {
    const squares = rewards.reduce((sum, reward) => sum + (reward - 0.5) ** 2, 0);
    const scale = Math.sqrt(squares / 5) + 1e-4;
    const differences = rewards.map((reward) => reward - 0.5);
    const { advantages } = groupAdvantages(rewards, { groupSize: 3, scaleRewards: 'batch' });
    expectClose(advantages, differences.map((difference) => difference / scale)); // prettier-ignore
    expectClose(groupAdvantages(rewards, { groupSize: 3, scaleRewards: 'none' }).advantages, differences);
  });

  it('names the groups that teach nothing', () => {
    const { advantages, zeroSpread, metrics } = groupAdvantages([0.1, 0.1, 0.1, 0, 1, 0], { groupSize: 3 });
    expect(zeroSpread).toEqual([0]);
    expect([...advantages.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect(metrics.frac_reward_zero_std).toBe(0.5);
  });

  it('takes no notice of completions that could not be scored', () => {
    const { advantages, failed, groups, zeroSpread } = groupAdvantages([1, NaN, 0, NaN, NaN, 1, NaN, NaN, NaN], {
      groupSize: 3,
      epsilon: 0,
    });
    expectClose(advantages.subarray(0, 3), [Math.SQRT1_2, 0, -Math.SQRT1_2]);
    expect([...advantages.subarray(3)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(failed).toEqual([1, 3, 4, 6, 7, 8]);
    expect(groups[1]).toEqual({ scored: 1, mean: 1, deviation: 0 });
    expect(zeroSpread).toEqual([1, 2]);
  });

  it('wants whole groups of at least two, and says which sizes there are', () => {
    for (const groupSize of [4, 1, 2.5, 12]) {
      expect(() => groupAdvantages(rewards, { groupSize })).toThrow(expect.objectContaining({ code: 'group-size' }));
    }
    expect(() => groupAdvantages(rewards, { groupSize: 4 })).toThrow(/6 rewards in groups of 4\n.*groups of 2, 3, 6/);
    expect(() => groupAdvantages([], { groupSize: 2 })).toThrow(expect.objectContaining({ code: 'group-size' }));
  });
});
