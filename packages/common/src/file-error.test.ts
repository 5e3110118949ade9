import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MemGenError } from './errors.js';
import { toFileError } from './file-error.js';

describe('toFileError', () => {
  it('explains a real system error and keeps it as the cause', async () => {
    const cause = await open('/no/such/file').catch((error: unknown) => error);
    const error = toFileError(cause, 'read the model', '/no/such/file');
    expect(error).toBeInstanceOf(MemGenError);
    expect(error).toMatchObject({ code: 'file-not-found', where: '/no/such/file', cause });
  });

  it('tells a full disk, missing permission and the unknown apart', () => {
    const system = (code: string) => Object.assign(new Error(code), { code, syscall: 'write' });
    const code = (name: string) => (toFileError(system(name), 'write', 'x') as MemGenError).code;
    expect(['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EXYZ'].map(code)).toEqual([
      'disk-full',
      'disk-full',
      'no-permission',
      'no-permission',
      'file-system',
    ]);
  });

  it('leaves other errors alone', () => {
    const error = new TypeError('bug');
    expect(toFileError(error, 'write', 'x')).toBe(error);
  });
});
