import { describe, expect, it } from 'vitest';
import type { SampleRecord } from '../samples.js';
import { rewardHistogram } from './reward-histogram.js';

function samples(rewards: readonly (number | null)[]): SampleRecord[] {
  return rewards.map((reward, i) => ({ step: i, prompt: '', completion: '', reward }));
}

describe('rewardHistogram', () => {
  it('gives each of a few rewards a bar, early against late', () => {
    const rewards = [0, 0, 0, 0.5, 0, 1, 0, 1, 1, 1, -1, 1, 1, 1, 1, 0.5];
    const [histogram] = rewardHistogram(samples([null, ...rewards]));
    expect(histogram!.bars).toEqual(['\u22121', '0', '0.5', '1']);
    expect(histogram!.series.map(({ shares }) => shares)).toEqual([
      [0, 0.75, 0.25, 0],
      [0, 0, 0.25, 0.75],
    ]);
    expect(histogram!.caption).toContain('16 completions in all. 1 more have none');
  });

  it('puts many rewards into ranges that miss none', () => {
    const rewards = Array.from({ length: 100 }, (_, i) => i / 99);
    const [histogram] = rewardHistogram(samples(rewards));
    expect(histogram!.bars).toHaveLength(12);
    for (const { shares } of histogram!.series) expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
    expect(histogram!.series[0]!.shares[11]).toBe(0);
    expect(histogram!.series[1]!.shares[0]).toBe(0);
  });

  it('has one part for a handful and nothing without rewards', () => {
    expect(rewardHistogram(samples([1, 1, 0]))[0]!.series).toEqual([{ label: 'all samples', shares: [1 / 3, 2 / 3] }]);
    expect(rewardHistogram(samples([null]))).toEqual([]);
    expect(rewardHistogram([])).toEqual([]);
  });
});
