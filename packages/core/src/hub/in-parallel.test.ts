// The limit is kept, all items get done, and a failure stops what is not yet done.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inParallel } from './in-parallel.js';

it.each([1, 3, 99])('runs %d at a time', async (limit) => {
  const items = Array.from({ length: 10 }, (_, i) => i);
  const done: number[] = [];
  let [running, most] = [0, 0];
  await inParallel(items, limit, async (item) => {
    most = Math.max(most, ++running);
    await sleep(2);
    running--;
    done.push(item);
  });
  expect(done.sort((a, b) => a - b)).toEqual(items);
  expect(most).toBe(Math.min(limit, items.length));
});

it('stops at the first failure and waits for what runs', async () => {
  const log: string[] = [];
  const failing = inParallel([1, 2, 3, 4], 2, async (item, signal) => {
    if (item === 1) throw new RangeError('first');
    await sleep(1000, undefined, { signal }).catch(() => undefined);
    log.push(`${item} ${signal.aborted}`);
  });
  await expect(failing).rejects.toThrow(new RangeError('first'));
  expect(log).toEqual(['2 true']);
});
