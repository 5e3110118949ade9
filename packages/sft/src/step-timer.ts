// Where the time of an optimizer step goes, by a clock that is given.

/** Books the time between its laps; nothing without a clock. */
export class StepTimer {
  /** Milliseconds by part. */
  readonly times: Record<string, number> = {};
  private last: number | undefined;

  /** @param clock - milliseconds of any origin. */
  constructor(private readonly clock?: () => number) {
    this.last = clock?.();
  }

  /** Adds the time since the last lap, or since the beginning, to a part. */
  lap(part: string): void {
    const now = this.clock?.();
    if (now !== undefined && this.last !== undefined) this.times[part] = (this.times[part] ?? 0) + now - this.last;
    this.last = now;
  }
}
