// Rows of pages when the memory ends: all of a step happens, or nothing. The rest is tested through the step decoder.
import { expect, it } from 'vitest';
import { Arena } from './arena.js';
import { pageColumns } from './kernels.js';
import { PagedCache, PagePool } from './step-cache.js';

it('leaves rows as they were when there is no room for all of them', () => {
  const arena = new Arena();
  // Room for two of these; they are never written to.
  const cache = new PagedCache(new PagePool(arena, 3 * 2 ** 29), 2);
  cache.reserve([pageColumns, 0]);
  cache.advance([pageColumns, 0]);
  const used = arena.usedBytes;
  const exhausted = expect.objectContaining({ code: 'step-decoder-memory' });
  expect(() => {
    cache.reserve([1, 1]);
  }).toThrow(exhausted);
  expect(arena.usedBytes).toBe(used);
  expect(cache.pages(0)).toHaveLength(1);
  expect(cache.pages(1)).toHaveLength(0);
  cache.reserve([0, 1]);
  expect(cache.pages(1)).toHaveLength(1);
  // What is reserved already is not reserved again.
  cache.reserve([0, pageColumns]);
  expect(cache.pages(1)).toHaveLength(1);
  expect(cache.lengths).toEqual([pageColumns, 0]);
  cache.dispose();
  expect(arena.usedBytes).toBe(0);
});
