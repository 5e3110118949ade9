// Learning rates over a run.
import { describe, expect, it } from 'vitest';
import { createSchedule, type ScheduleOptions } from './schedule.js';

function rates(options: ScheduleOptions): number[] {
  const schedule = createSchedule(options);
  return Array.from({ length: options.steps + 1 }, (_, step) => Number(schedule(step).toFixed(10)));
}

describe('createSchedule', () => {
  it.each(['constant', 'linear', 'cosine'] as const)(
    '%s: begins a warm-up at rate 0 and ends it at the peak',
    (kind) => {
      expect(rates({ kind, peak: 2, steps: 8, warmup: 4 }).slice(0, 5)).toEqual([0, 0.5, 1, 1.5, 2]);
      expect(rates({ kind, peak: 2, steps: 8 })[0]).toBe(2);
    },
  );

  it('constant: stays', () => {
    expect(rates({ kind: 'constant', peak: 3, steps: 3 })).toEqual([3, 3, 3, 3]);
  });

  it('linear: falls to 0, or to its floor', () => {
    expect(rates({ kind: 'linear', peak: 1, steps: 4 })).toEqual([1, 0.75, 0.5, 0.25, 0]);
    expect(rates({ kind: 'linear', peak: 2, steps: 4, floor: 0.5 })).toEqual([2, 1.75, 1.5, 1.25, 1]);
  });

  it('linear: holds the peak between warm-up and decay', () => {
    expect(rates({ kind: 'linear', peak: 1, steps: 6, warmup: 2, hold: 2 })).toEqual([0, 0.5, 1, 1, 1, 0.5, 0]);
  });

  it('cosine: half a wave to 0, or to its floor', () => {
    const half = Number(((1 + Math.SQRT1_2) / 2).toFixed(10));
    expect(rates({ kind: 'cosine', peak: 1, steps: 4 })).toEqual([1, half, 0.5, Number((1 - half).toFixed(10)), 0]);
    expect(rates({ kind: 'cosine', peak: 10, steps: 2, floor: 0.2 })).toEqual([10, 6, 2]);
    expect(rates({ kind: 'cosine', peak: 1, steps: 6, warmup: 2 })[4]).toBe(0.5);
  });

  it('stays at the end for later steps', () => {
    expect(createSchedule({ kind: 'cosine', peak: 1, steps: 4, floor: 0.1 })(99)).toBeCloseTo(0.1, 12);
  });

  it('allows a run that is warm-up throughout and refuses a longer warm-up', () => {
    expect(rates({ kind: 'linear', peak: 1, steps: 2, warmup: 2 }).slice(0, 2)).toEqual([0, 0.5]);
    expect(() => createSchedule({ kind: 'linear', peak: 1, steps: 3, warmup: 2, hold: 2 })).toThrow(
      expect.objectContaining({ code: 'schedule', got: '4 of 3 steps' }),
    );
  });
});
