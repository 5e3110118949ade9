// Which folder is the cache.
import { expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.js';

it('takes MEMGEN_CACHE first, then XDG_CACHE_HOME, then the custom of the system', () => {
  const home = '/home/ann';
  const own = { MEMGEN_CACHE: '/big/cache', XDG_CACHE_HOME: '/xdg' };
  expect(cacheFolder({ environment: own, platform: 'linux', home })).toBe('/big/cache');
  expect(cacheFolder({ environment: { XDG_CACHE_HOME: '/xdg' }, platform: 'darwin', home })).toBe('/xdg/memgen');
  expect(cacheFolder({ environment: { MEMGEN_CACHE: '' }, platform: 'linux', home })).toBe('/home/ann/.cache/memgen');
  expect(cacheFolder({ environment: {}, platform: 'darwin', home })).toBe('/home/ann/Library/Caches/memgen');
});
