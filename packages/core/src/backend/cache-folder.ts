// Where memgen keeps what it downloaded for this user: engines and half-finished downloads.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `MEMGEN_CACHE`, else `XDG_CACHE_HOME/memgen`, else the custom of the system: `~/Library/Caches/memgen` on macOS,
 * `~/.cache/memgen` elsewhere. The folder may not exist yet.
 */
export function cacheFolder({
  environment = process.env,
  platform = process.platform,
  home = homedir(),
}: { environment?: NodeJS.ProcessEnv; platform?: NodeJS.Platform; home?: string } = {}): string {
  const own = environment['MEMGEN_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  const shared = environment['XDG_CACHE_HOME'];
  if (shared !== undefined && shared !== '') return resolve(shared, 'memgen');
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'memgen') : join(home, '.cache', 'memgen');
}
