// Collects what asynchronous work brings, in groups as they come.

/** Items that work in progress will bring; what was brought at the same time is taken together. */
export class Arrivals<T> {
  private readonly arrived: T[] = [];
  private pending = 0;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => undefined;

  /** Begins work that brings an item. */
  expect(item: T, work: Promise<void>): void {
    this.pending++;
    work.then(
      () => {
        this.pending--;
        this.arrived.push(item);
        this.wake();
      },
      (error: unknown) => {
        this.pending--;
        this.failure ??= { error };
        this.wake();
      },
    );
  }

  /**
   * Waits for the next item, or for all of them; none when no work is in progress.
   * @throws what the first work that failed threw.
   */
  async take(wanted: 'ready' | 'all'): Promise<T[]> {
    const enough = () => this.pending === 0 || (wanted === 'ready' && this.arrived.length > 0);
    while (!enough() && this.failure === undefined) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    // What is about to arrive, because nothing kept it waiting, comes along.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== undefined) throw this.failure.error;
    return this.arrived.splice(0);
  }
}
