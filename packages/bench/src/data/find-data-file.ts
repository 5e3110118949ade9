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
  let present: string[];
  try {
    present = await readdir(folder);
  } catch (error) {
    throw toFileError(error, 'read the folder of the data', folder);
  }
  const wanted = names.flatMap((name) => [name, `${name}.gz`]);
  const found = wanted.find((name) => present.includes(name));
  if (found !== undefined) return join(folder, found);
  const shown = present.sort().slice(0, 8).join(', ');
  throw new MemGenError({
    code: 'data-missing',
    where: folder,
    message: 'the folder does not hold the data',
    got: present.length === 0 ? 'an empty folder' : `${shown}${present.length > 8 ? ', ...' : ''}`,
    expected: wanted.join(' or '),
    hint: 'give the folder that holds the file, or the file itself',
  });
}
