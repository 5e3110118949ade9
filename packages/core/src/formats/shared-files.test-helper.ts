// Where tests find the reference data that is too large or not ours to carry in the repository.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = process.env.MEMGEN_SHARED ?? resolve(import.meta.dirname, '../../../../../shared');

/** Path inside of the reference data. */
export function sharedPath(...parts: string[]): string {
  return join(root, ...parts);
}

/** For `describe.skipIf`: true where the reference data are absent. */
export function isSharedMissing(...parts: string[]): boolean {
  return !existsSync(sharedPath(...parts));
}
