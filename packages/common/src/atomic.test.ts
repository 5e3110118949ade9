import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recoverFolder, replaceFolder, writeFileAtomically } from './atomic.js';
import { MemGenError } from './errors.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-atomic-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writeFileAtomically', () => {
  it('writes text, bytes and pieces, makes parents and leaves no temporary file', async () => {
    await writeFileAtomically(join(folder, 'a/b/text'), 'hëllo');
    await writeFileAtomically(join(folder, 'bytes'), Uint8Array.of(1, 2));
    await writeFileAtomically(join(folder, 'bytes'), [Uint8Array.of(3), Uint8Array.of(4, 5)]);
    expect(await readFile(join(folder, 'a/b/text'), 'utf8')).toBe('hëllo');
    expect([...(await readFile(join(folder, 'bytes')))]).toEqual([3, 4, 5]);
    expect((await readdir(folder)).sort()).toEqual(['a', 'bytes']);
  });

  it('keeps the old file when the data fail half-way', async () => {
    const path = join(folder, 'model');
    await writeFile(path, 'old');
    // eslint-disable-next-line @typescript-eslint/require-await -- a generator that fails like an interrupted source
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1000);
      throw new RangeError('source gone');
    }
    await expect(writeFileAtomically(path, pieces())).rejects.toThrow(RangeError);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['model']);
  });

  it('explains a path that leads through a file', async () => {
    await writeFile(join(folder, 'file'), '');
    const failure = await writeFileAtomically(join(folder, 'file/x'), '').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MemGenError);
    expect((failure as MemGenError).message).toMatch(/could not write the file[\s\S]*to do:/);
  });

  it('refuses to take the place of a folder and cleans up', async () => {
    await mkdir(join(folder, 'taken/inside'), { recursive: true });
    await expect(writeFileAtomically(join(folder, 'taken'), 'x')).rejects.toThrow(MemGenError);
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('replaceFolder', () => {
  it('replaces all of the old content', async () => {
    const path = join(folder, 'checkpoint');
    await replaceFolder(path, (temporary) => writeFile(join(temporary, 'one'), '1'));
    await replaceFolder(path, async (temporary) => {
      await mkdir(join(temporary, 'sub'));
      await writeFile(join(temporary, 'sub/two'), '2');
    });
    expect(await readdir(path)).toEqual(['sub']);
    expect(await readdir(folder)).toEqual(['checkpoint']);
  });

  it('keeps the old folder when writing fails, whatever the reason', async () => {
    const path = join(folder, 'checkpoint');
    await replaceFolder(path, (temporary) => writeFile(join(temporary, 'one'), 'old'));
    const failing = replaceFolder(path, async (temporary) => {
      await writeFile(join(temporary, 'one'), 'new');
      throw new TypeError('bug');
    });
    await expect(failing).rejects.toThrow(TypeError);
    expect(await readFile(join(path, 'one'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['checkpoint']);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full (needs /dev/full)', async () => {
    const failing = replaceFolder(join(folder, 'checkpoint'), () => writeFile('/dev/full', 'x'));
    await expect(failing).rejects.toMatchObject({
      code: 'disk-full',
      hint: expect.stringContaining('free some space'),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not replace a file by a folder', async () => {
    await writeFile(join(folder, 'x'), 'precious');
    await expect(replaceFolder(join(folder, 'x'), () => Promise.resolve())).rejects.toMatchObject({
      code: 'not-a-folder',
    });
    expect(await readFile(join(folder, 'x'), 'utf8')).toBe('precious');
  });

  it('brings back what a killed process had moved away', async () => {
    const path = join(folder, 'checkpoint');
    await replaceFolder(path, (temporary) => writeFile(join(temporary, 'one'), 'old'));
    expect(await recoverFolder(path)).toBe(false);
    await rename(path, join(folder, '.checkpoint.previous'));
    expect(await recoverFolder(path)).toBe(true);
    expect(await readFile(join(path, 'one'), 'utf8')).toBe('old');
    await rename(path, join(folder, '.checkpoint.previous'));
    await expect(replaceFolder(path, () => Promise.reject(new Error('stop')))).rejects.toThrow('stop');
    expect(await readFile(join(path, 'one'), 'utf8')).toBe('old');
  });
});
