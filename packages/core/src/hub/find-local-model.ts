// Finds a model at a path of this machine.
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import { expandHome } from './hub-settings.js';

/** A model folder or GGUF file. */
export interface LocalModel {
  /** Absolute. */
  path: string;
  kind: 'folder' | 'gguf';
}

export function absolutePath(source: string): string {
  return resolve(expandHome(source));
}

/**
 * @returns undefined where nothing of that name is there.
 * @throws MemGenError `model-folder` for something that is no model, or why it cannot be looked at.
 */
export async function findLocalModel(source: string): Promise<LocalModel | undefined> {
  // No path holds a zero character, and an empty one would be the current folder.
  if (source === '' || source.includes('\0')) return undefined;
  const path = absolutePath(source);
  try {
    const status = await stat(path);
    if (status.isFile()) return asFile(path);
    return asFolder(path, (await readdir(path)).sort());
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return;
    throw toFileError(error, 'look for the model', path);
  }
}

function asFile(path: string): LocalModel {
  if (path.endsWith('.gguf')) return { path, kind: 'gguf' };
  throw noModel(path, 'a file of another kind');
}

function asFolder(path: string, names: readonly string[]): LocalModel {
  if (names.includes('config.json')) return { path, kind: 'folder' };
  const [gguf, ...more] = names.filter((name) => name.endsWith('.gguf'));
  if (gguf !== undefined && more.length === 0) return { path: join(path, gguf), kind: 'gguf' };
  throw noModel(path, names.slice(0, 10).join(', ') || 'an empty folder');
}

function noModel(path: string, got: string): MemGenError {
  return new MemGenError({
    code: 'model-folder',
    where: path,
    message: 'this is no model',
    got,
    expected: 'a folder with config.json, tokenizer.json and model.safetensors, or a .gguf file',
    hint: 'give the folder that holds config.json',
  });
}
