// Does several things at a time; the first failure stops the others.

/**
 * Runs `action` for each item, at most `limit` at a time, in order of their start.
 *
 * @param action - should give up when its signal is aborted; that its own end is waited for.
 * @throws the first error, when all that had begun has ended.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  action: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const failures: unknown[] = [];
  const waiting = items.values();
  const work = async (): Promise<void> => {
    // All workers share one iterator.
    for (const item of waiting) {
      try {
        await action(item, stop.signal);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
      if (stop.signal.aborted) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failures.length > 0) throw failures[0];
}
