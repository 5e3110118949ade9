// Where an optional package is installed that this one can use.
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Finds an optional package in the user's project, in `NODE_PATH`, or beside our own packages. */
export function resolvePeer(name: string): { path: string; require: NodeJS.Require } {
  for (const start of [join(process.cwd(), 'noop.js'), import.meta.url]) {
    const require = createRequire(start);
    try {
      return { path: require.resolve(name), require };
    } catch {
      continue;
    }
  }
  throw new Error(`the package ${name} is not installed`);
}
