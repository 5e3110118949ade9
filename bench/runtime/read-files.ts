// Brings the files of a model into the page cache.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

/** @param model - a folder or a file; what is neither is a hub id and left to the cache of downloads. */
export async function readFiles(model: string): Promise<void> {
  const found = await stat(model).catch(() => undefined);
  if (found === undefined) return;
  const paths = found.isDirectory() ? (await readdir(model)).map((name) => join(model, name)) : [model];
  for (const path of paths) {
    if (!(await stat(path)).isFile()) continue;
    await finished(createReadStream(path, { highWaterMark: 2 ** 20 }).resume());
  }
}
