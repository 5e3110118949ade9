import { describe, expect, it } from 'vitest';
import { finitePoints, runningMean, thinOut } from './points.js';

describe('points', () => {
  it('are thinned out evenly, ends included', () => {
    expect(thinOut([0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 4, 8]);
    expect(thinOut([1, 2], 3)).toEqual([1, 2]);
  });

  it('lose what is not finite', () => {
    expect(
      finitePoints([
        { step: 1, value: null },
        { step: 2, value: NaN },
        { step: 3, value: 1 },
      ]),
    ).toEqual([{ step: 3, value: 1 }]);
  });

  it('are smoothed around each point: a straight line stays, a spike spreads', () => {
    const line = Array.from({ length: 100 }, (_, step) => ({ step, value: 2 * step }));
    expect(runningMean(line).slice(5, 95)).toEqual(line.slice(5, 95));
    const spike = line.map(({ step }) => ({ step, value: step === 50 ? 1 : 0 }));
    const smooth = runningMean(spike);
    expect(smooth.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(1);
    expect(smooth[50]!.value).toBe(smooth[52]!.value);
    expect(smooth[60]!.value).toBe(0);
  });
});
