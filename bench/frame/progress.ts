// Progress of a run: a line for each process and each figure, with the time left.
import type { Job } from './suite.js';

export interface ProgressOptions {
  jobs: readonly Pick<Job, 'label' | 'weight'>[];
  write: (text: string) => void;
  /** Milliseconds. */
  clock: () => number;
}

export class Progress {
  private readonly began: number;
  private started = 0;

  constructor(private readonly options: ProgressOptions) {
    this.began = options.clock();
  }

  /** The next job starts. */
  next(): void {
    const { jobs, write, clock } = this.options;
    const sum = (some: ProgressOptions['jobs']) => some.reduce((total, { weight }) => total + weight, 0);
    const done = sum(jobs.slice(0, this.started));
    const left = ((clock() - this.began) / 1000) * (sum(jobs.slice(this.started)) / done);
    const time = done === 0 ? '' : `, about ${formatSeconds(left)} left`;
    write(`[${this.started + 1}/${jobs.length}] ${jobs[this.started]!.label}${time}\n`);
    this.started++;
  }

  note(text: string): void {
    this.options.write(`    ${text}\n`);
  }
}

/** `45 s`, `3 min 20 s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
