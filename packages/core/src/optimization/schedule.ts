// Learning rates over a run: linear warm-up, then constant, linear or cosine decay.
import { MemGenError } from '@memgen/common';

export interface ScheduleOptions {
  kind: 'constant' | 'linear' | 'cosine';
  /** Highest learning rate. */
  peak: number;
  /** Optimizer steps of the whole run. */
  steps: number;
  /** Steps of the linear rise from 0. @default 0 */
  warmup?: number;
  /** What the decay ends at, as a part of the peak. @default 0 */
  floor?: number;
  /** Steps at the peak between warm-up and decay (linear only). @default 0 */
  hold?: number;
}

/** Learning rate of step `step`, counted from 0; Hugging Face's convention, whose very first warm-up step has rate 0. */
export type Schedule = (step: number) => number;

export function createSchedule({ kind, peak, steps, warmup = 0, floor = 0, hold = 0 }: ScheduleOptions): Schedule {
  if (warmup + hold > steps) {
    throw new MemGenError({
      code: 'schedule',
      message: 'warm-up is longer than the run',
      got: `${warmup + hold} of ${steps} steps`,
      hint: 'lower warmup_steps or warmup_ratio, or train for more steps',
    });
  }
  return (step) => {
    if (step < warmup) return (peak * step) / Math.max(1, warmup);
    if (kind === 'constant') return peak;
    const progress = Math.min(1, Math.max(0, step - warmup - hold) / Math.max(1, steps - warmup - hold));
    const shape = kind === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
    return peak * (floor + (1 - floor) * shape);
  };
}
