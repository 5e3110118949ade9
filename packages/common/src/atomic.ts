// Writing files and folders so that a reader sees the old content or the new, never a part of it.
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MemGenError } from './errors.js';
import { toFileError } from './file-error.js';

/** What can be written: all at once, or piece by piece so that a large file never has to be in memory as a whole. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file aside, flushes it to the disk and renames it into place. On a failure the old file (or its absence)
 * stays as it was and nothing is left behind. Missing parent folders are made.
 *
 * @throws MemGenError with code `disk-full`, `no-permission`, ... for what the operating system refuses; an error thrown
 * by an iterable `data` passes through.
 */
export async function writeFileAtomically(path: string, data: FileContent): Promise<void> {
  const target = resolve(path);
  const temporary = siblingOf(target, `tmp-${randomUUID()}`);
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeAndFlush(temporary, data);
    await rename(temporary, target);
    await flush(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw toFileError(error, 'write the file', target);
  }
}

/**
 * Fills a new folder aside with `write`, flushes it and puts it in the place of `path`. The old folder is moved to
 * `.<name>.previous` first and removed when the new one is in place; if the process dies between the two renames,
 * {@link recoverFolder} (or the next call) brings it back. On a failure the old folder stays and nothing is left behind.
 *
 * @param write - gets the absolute path of an empty temporary folder; must have closed its files when it resolves.
 * @throws MemGenError as {@link writeFileAtomically}; what `write` throws for its own reasons passes through.
 */
export async function replaceFolder(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const temporary = siblingOf(target, `new-${randomUUID()}`);
  try {
    await recoverFolder(target);
    const replaces = await isFolder(target);
    await mkdir(dirname(temporary), { recursive: true });
    // Not recursively: Node never returns where the file system says ENOENT for a name whose parent is there (/proc).
    await mkdir(temporary);
    await write(temporary);
    await flushTree(temporary);
    if (replaces) await swapFolders(target, temporary);
    else await rename(temporary, target);
    await flush(dirname(target));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw toFileError(error, 'write the folder', target);
  }
}

/**
 * Brings back a folder that an interrupted {@link replaceFolder} had moved away. Call it before reading a folder that
 * may have been left so; it does nothing when `path` is there or was never written.
 *
 * @returns whether a folder was brought back.
 */
export async function recoverFolder(path: string): Promise<boolean> {
  const target = resolve(path);
  if (await exists(target)) return false;
  try {
    await rename(siblingOf(target, 'previous'), target);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw toFileError(error, 'bring back the folder', target);
  }
}

async function swapFolders(target: string, temporary: string): Promise<void> {
  const previous = siblingOf(target, 'previous');
  await rm(previous, { recursive: true, force: true });
  await rename(target, previous);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(previous, target);
    throw error;
  }
  // The new folder is in place; an old one that cannot be removed is no failure, the next call removes it.
  await rm(previous, { recursive: true, force: true }).catch(() => undefined);
}

function siblingOf(path: string, suffix: string): string {
  return join(dirname(path), `.${basename(path)}.${suffix}`);
}

async function writeAndFlush(path: string, data: FileContent): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    if (typeof data === 'string' || data instanceof Uint8Array) {
      await handle.writeFile(data);
    } else {
      for await (const piece of data) await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(path);
    else if (entry.isFile()) await flush(path);
  }
  await flush(folder);
}

/** Asks the disk to keep what was written; folders cannot be flushed on every system, which is harmless. */
async function flush(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!hasCode(error, 'EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'EBADF', 'ENOTSUP')) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  if ((await lstat(path)).isDirectory()) return true;
  throw new MemGenError({
    code: 'not-a-folder',
    where: path,
    message: 'a folder is to be written here, but something else is in its place',
    expected: 'a folder or nothing',
    hint: 'remove it or choose another path',
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw toFileError(error, 'look at the path', path);
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR');
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
