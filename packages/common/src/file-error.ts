// Turns an operating-system error about a file into one that says what happened and what to do.
import { MemGenError } from './errors.js';

interface Explanation {
  code: string;
  message: string;
  hint: string;
}

const explanations = new Map<string, Explanation>([
  ['ENOSPC', { code: 'disk-full', message: 'the disk is full', hint: 'free some space or choose another folder' }],
  [
    'EDQUOT',
    { code: 'disk-full', message: 'the disk quota is used up', hint: 'free some space or choose another folder' },
  ],
  [
    'EACCES',
    {
      code: 'no-permission',
      message: 'permission denied',
      hint: 'check the owner and mode of the file and its folder',
    },
  ],
  [
    'EPERM',
    {
      code: 'no-permission',
      message: 'operation not permitted',
      hint: 'check the owner and mode of the file and its folder',
    },
  ],
  [
    'EROFS',
    { code: 'no-permission', message: 'the file system is read-only', hint: 'choose a folder that can be written' },
  ],
  ['ENOENT', { code: 'file-not-found', message: 'no such file or folder', hint: 'check the path' }],
  [
    'ENOTDIR',
    { code: 'file-not-found', message: 'a part of the path is a file, not a folder', hint: 'check the path' },
  ],
  ['EISDIR', { code: 'not-a-file', message: 'this is a folder, not a file', hint: 'give the path of a file' }],
  ['EEXIST', { code: 'file-exists', message: 'something of that name is already there', hint: 'choose another path' }],
  ['ELOOP', { code: 'file-not-found', message: 'the symbolic links go round in a circle', hint: 'repair the links' }],
  ['ENAMETOOLONG', { code: 'file-name', message: 'the path is too long', hint: 'choose a shorter one' }],
  ['EMFILE', { code: 'too-many-files', message: 'too many files are open', hint: 'close some or raise `ulimit -n`' }],
]);

/**
 * Wraps an error of `node:fs`; errors that are not from the operating system come back as they are.
 *
 * @param error - what was caught.
 * @param action - what was being done, as "to write the checkpoint" would continue "could not".
 * @param path - shown when the error itself names no path.
 */
export function toFileError(error: unknown, action: string, path: string): unknown {
  if (!isSystemError(error)) return error;
  const known = explanations.get(error.code);
  return new MemGenError({
    code: known?.code ?? 'file-system',
    where: path,
    message: `could not ${action}: ${known?.message ?? 'the operating system refused'}`,
    got: error.message,
    hint: known?.hint ?? 'see the system message above',
    cause: error,
  });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
