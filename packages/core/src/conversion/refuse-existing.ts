// A folder that is to be written must be new or empty.
import { readdir } from 'node:fs/promises';
import { MemGenError, recoverFolder, toFileError } from '@memgen/common';

/** @throws MemGenError `file-exists` for a folder with something in it. */
export async function refuseExisting(folder: string): Promise<void> {
  // A folder that an interrupted write had moved away would come back, and then be overwritten.
  await recoverFolder(folder);
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw toFileError(error, 'look at the target', folder);
  }
  if (names.length === 0) return;
  throw new MemGenError({
    code: 'file-exists',
    where: folder,
    message: 'there is something in this folder already',
    got: names.slice(0, 5).join(', '),
    expected: 'a folder that does not exist or is empty',
    hint: 'choose another name, or remove it first',
  });
}
