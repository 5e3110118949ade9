import { describe, expect, it } from 'vitest';
import { mapConcurrently } from './map-concurrently.js';
import { rewardPerSample } from './reward.js';

const samples = ['a', 'bb', 'bad', 'dddd'].map((completion) => ({ row: { wanted: 2 }, completion }));

describe('rewardPerSample', () => {
  it('fails the sample that cannot be scored, with the reason, and keeps the order', async () => {
    const length = rewardPerSample<{ wanted: number }>({
      name: 'length',
      concurrency: 2,
      score: async ({ row, completion }) => {
        await new Promise((resolve) => setTimeout(resolve, 5 - completion.length));
        if (completion === 'bad') throw new Error('not a word');
        return completion.length === row.wanted ? 1 : { value: 0, reason: `${completion.length} letters` };
      },
    });
    expect(await length.score(samples)).toEqual([
      { value: 0, reason: '1 letters' },
      { value: 1 },
      { value: NaN, reason: 'not a word' },
      { value: 0, reason: '4 letters' },
    ]);
  });

  it('fails as a whole when aborted', async () => {
    const controller = new AbortController();
    const reward = rewardPerSample({
      name: 'never',
      score: () => {
        controller.abort(new Error('enough'));
        throw new Error('because of that');
      },
    });
    await expect(reward.score(samples, { signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('mapConcurrently', () => {
  it('runs no more than it may at once, and stops after a failure', async () => {
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    const visit = async (item: number): Promise<number> => {
      begun.push(item);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      if (item === 4) throw new Error('four');
      return 10 * item;
    };
    expect(await mapConcurrently([1, 2, 3], 2, visit)).toEqual([10, 20, 30]);
    expect(most).toBe(2);
    begun.length = 0;
    await expect(mapConcurrently([4, 5, 6, 7], 1, visit)).rejects.toThrow('four');
    expect(begun).toEqual([4]);
    expect(await mapConcurrently([], 3, visit)).toEqual([]);
    await expect(mapConcurrently([1], 0, visit)).rejects.toMatchObject({ code: 'concurrency' });
  });
});
