import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppendFile } from './append-file.js';

describe('AppendFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-append-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('makes folders and goes on at the end of what is there, visible at once', () => {
    const path = join(folder, 'a', 'b.txt');
    const first = AppendFile.open(path);
    first.append('one\n');
    first.close();
    const second = AppendFile.open(path);
    second.append(Buffer.from('zwei ü\n'));
    expect(readFileSync(path, 'utf8')).toBe('one\nzwei ü\n');
    second.close();
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full (needs /dev/full)', () => {
    const file = AppendFile.open('/dev/full');
    expect(() => {
      file.append('x');
    }).toThrow(expect.objectContaining({ code: 'disk-full', where: '/dev/full' }));
    file.close();
  });

  it('says why a file cannot be opened', () => {
    expect(() => AppendFile.open(folder)).toThrow(expect.objectContaining({ code: 'not-a-file', where: folder }));
  });
});
