// The files of a folder with their sizes.
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toFileError } from '@memgen/common';

export interface FileSize {
  /** Relative to what is inspected. */
  name: string;
  byteLength: number;
}

/** The ordinary files (links followed) directly in a folder, by name; or the one file of that path. */
export async function listFiles(path: string): Promise<FileSize[]> {
  try {
    const status = await stat(path);
    if (!status.isDirectory()) return [{ name: basename(path), byteLength: status.size }];
    const files: FileSize[] = [];
    for (const name of (await readdir(path)).sort()) {
      // A link into nowhere is no file.
      const found = await stat(join(path, name)).catch(() => undefined);
      if (found?.isFile() === true) files.push({ name, byteLength: found.size });
    }
    return files;
  } catch (error) {
    throw toFileError(error, 'look at the path', path);
  }
}
