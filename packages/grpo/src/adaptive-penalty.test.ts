// The penalty by hand: who sets the standard, what is above it, its slope.
import { describe, expect, it } from 'vitest';
import { adaptivePenalty } from './adaptive-penalty.js';

const probabilities = [[0.5, 0.25], [1, 0.75, 0.5], [0.25], [0.75]]; // prettier-ignore
const rewards = [1, 0, 0.25, 0.5];
const input = { probabilities, rewards, groupSize: 2 };

const asLists = (rows: readonly Float64Array[]) => rows.map((row) => [...row]);

describe('adaptivePenalty', () => {
  it('charges what lies above the mean probability of the completions above the mean of their group', () => {
    // Highly rewarded: rows 0 and 3, with probabilities 0.5, 0.25 and 0.75.
    const { penalties, slopes, standards } = adaptivePenalty(input, { lambda: 2 });
    expect(standards).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...penalties]).toEqual([0, 1.5, 0, 0.5]);
    expect(asLists(slopes)).toEqual([[0, 0], [2, 2, 0], [0], [2]]);
  });

  it('can have a standard for each prompt', () => {
    const { penalties, standards } = adaptivePenalty(input, { lambda: 1, scope: 'group' });
    expect(standards).toEqual([0.375, 0.375, 0.75, 0.75]);
    expect([...penalties]).toEqual([0.125, 0.625 + 0.375 + 0.125, 0, 0]);
  });

  it('can take a quantile of the rewards', () => {
    const { standards } = adaptivePenalty(input, { lambda: 1, highReward: 1 });
    expect(standards[0]).toBe(0.375);
    expect(adaptivePenalty(input, { lambda: 1, highReward: 0.5 }).standards[0]).toBe(0.5);
    expect(adaptivePenalty(input, { lambda: 1, highReward: 0.5, scope: 'group' }).standards).toEqual([
      0.375, 0.375, 0.75, 0.75,
    ]); // prettier-ignore
  });

  it('charges nothing where no completion is better than another', () => {
    for (const highReward of ['group-mean', 0.5] as const) {
      const equal = adaptivePenalty({ ...input, rewards: [0.1, 0.1, 0.1, 0.1] }, { lambda: 1, highReward });
      expect([...equal.penalties]).toEqual([0, 0, 0, 0]);
      expect(equal.standards).toEqual([undefined, undefined, undefined, undefined]);
    }
  });

  it('leaves out completions without a reward', () => {
    const { penalties, standards } = adaptivePenalty({ ...input, rewards: [1, NaN, 0, 0.5] }, { lambda: 1 });
    expect(standards).toEqual([0.75, undefined, 0.75, 0.75]);
    expect([...penalties]).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ['penalty-options', input, { lambda: -1 }],
    ['penalty-options', input, { lambda: NaN }],
    ['penalty-options', input, { lambda: 1, highReward: 1.5 }],
    ['group-size', { ...input, groupSize: 3 }, { lambda: 1 }],
    ['group-size', { ...input, rewards: [1, 2] }, { lambda: 1 }],
  ] as const)('says %s', (code, given, options) => {
    expect(() => adaptivePenalty(given, options)).toThrow(expect.objectContaining({ code }));
  });
});
