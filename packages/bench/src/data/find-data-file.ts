// Finds a file of a data set under one of the names it is published by.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';

/** Where data sets are looked for when a configuration names no place. */
export const dataVariable = 'MEMGEN_DATA';

/**
 * The place a data set is read from: the given one, else `$MEMGEN_DATA`.
 *
 * @throws MemGenError `data-source` if neither is given.
 */
export function resolveDataSource(
  name: string,
  source: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const resolved = source ?? environment[dataVariable];
  if (resolved !== undefined && resolved !== '') return resolved;
  throw new MemGenError({
    code: 'data-source',
    message: `it is not said where the data of ${name} are`,
    expected: `a file or folder in the configuration, or a folder in the environment variable ${dataVariable}`,
    hint: `download the data set and set ${dataVariable} to its folder`,
  });
}

/** @throws an error of the file system if there is nothing at `path`. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw toFileError(error, 'find the data', path);
  }
}

/**
 * The first of `names` that the folder holds, also with `.gz`.
 *
 * @throws MemGenError `data-missing`, with what the folder does hold.
 */
export async function findDataFile(folder: string, names: readonly string[]): Promise<string> {
  const present = await listFolder(folder);
  const wanted = names.flatMap((name) => [name, `${name}.gz`]);
  const found = wanted.find((name) => present.includes(name));
  if (found !== undefined) return join(folder, found);
  throw missing(folder, present, wanted.join(' or '));
}

/**
 * Every file of the folder whose name fits, by name.
 *
 * @throws MemGenError `data-missing` if there is none, with what the folder does hold.
 */
export async function findDataFiles(folder: string, name: RegExp): Promise<string[]> {
  const present = await listFolder(folder);
  const found = present.filter((file) => name.test(file));
  if (found.length === 0) throw missing(folder, present, `files whose names fit ${name.source}`);
  return found.map((file) => join(folder, file));
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw toFileError(error, 'read the folder of the data', folder);
  }
}

function missing(folder: string, present: readonly string[], expected: string): MemGenError {
  const shown = present.slice(0, 8).join(', ');
  return new MemGenError({
    code: 'data-missing',
    where: folder,
    message: 'the folder does not hold the data',
    got: present.length === 0 ? 'an empty folder' : `${shown}${present.length > 8 ? ', ...' : ''}`,
    expected,
    hint: 'give the folder that holds the file, or the file itself',
  });
}
