// Maps items by an asynchronous function, a bounded number at a time.
import { MemGenError } from './errors.js';

/**
 * Results in the order of `items`. After a failure no further item is begun.
 *
 * @param concurrency - at least 1.
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  if (!(concurrency >= 1)) {
    throw new MemGenError({
      code: 'concurrency',
      message: 'nothing would be done at all',
      got: String(concurrency),
      expected: 'at least 1 at a time',
    });
  }
  const results = new Array<Result>(items.length);
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await map(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
  return results;
}
