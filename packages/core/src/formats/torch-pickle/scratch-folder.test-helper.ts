// A folder for the files that a test writes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** @returns a function that writes bytes to the one scratch file of the calling test file and gives its path. */
export function useScratchFile(): (bytes: Uint8Array) => Promise<string> {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memgen-torch-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return async (bytes) => {
    const path = join(folder, 'model.bin');
    await writeFile(path, bytes);
    return path;
  };
}
