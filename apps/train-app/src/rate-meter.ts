// How fast something goes at the moment: amount per second over the last seconds.

/** Reads the same clock as its owner: milliseconds, never going back. */
export class RateMeter {
  private readonly marks: { time: number; total: number }[];

  /**
   * @param start - time of the beginning, in milliseconds.
   * @param windowSeconds - how far back the rate looks; long enough to smooth single steps.
   */
  constructor(
    start: number,
    private readonly windowSeconds = 30,
  ) {
    this.marks = [{ time: start, total: 0 }];
  }

  add(amount: number, time: number): void {
    this.marks.push({ time, total: this.marks.at(-1)!.total + amount });
    // Keep one mark from before the window: the rate is measured between marks, not from a clock's tick.
    while (this.marks.length > 2 && this.marks[1]!.time <= time - this.windowSeconds * 1000) this.marks.shift();
  }

  /** Amount per second, 0 before anything was added. */
  perSecond(): number {
    const first = this.marks[0]!;
    const last = this.marks.at(-1)!;
    return last.time === first.time ? 0 : ((last.total - first.total) * 1000) / (last.time - first.time);
  }
}
