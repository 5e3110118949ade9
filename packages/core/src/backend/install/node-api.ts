// What addons are compiled against.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** N-API version that addons are built for; Node 20 to 24 all have it. */
export const nodeApi = 8;

/** Folder of the C headers of Node-API. */
export function nodeHeadersFolder(): string {
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}
