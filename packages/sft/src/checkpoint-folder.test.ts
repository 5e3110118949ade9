// The folder of checkpoints: periods, pruning, what a killed process leaves behind.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointFolder } from './checkpoint-folder.js';

let root: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-checkpoints-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  folder = join(root, String(count++));
});

const content = (path: string) => writeFile(join(path, 'content'), 'x');

describe('CheckpointFolder', () => {
  it('keeps the newest few and the best', async () => {
    const checkpoints = new CheckpointFolder({ folder, keepLast: 2 });
    expect(await checkpoints.open()).toBeUndefined();
    for (const step of [1, 2, 3, 4, 5]) await checkpoints.save(step, content, 2);
    expect((await checkpoints.list()).map(({ step }) => step)).toEqual([2, 4, 5]);
    expect(await new CheckpointFolder({ folder }).open()).toEqual({ step: 5, path: join(folder, 'step-000005') });
    await checkpoints.save(1_234_567, content, 1_234_567);
    expect((await checkpoints.list()).map(({ step }) => step)).toEqual([5, 1_234_567]);
  });

  it('is due every so many steps, and after so many seconds since the last', async () => {
    let time = 0;
    const checkpoints = new CheckpointFolder({ folder, everySteps: 10, everySeconds: 60, now: () => time });
    expect([checkpoints.due(9), checkpoints.due(10)]).toEqual([false, true]);
    time = 59_999;
    expect(checkpoints.due(3)).toBe(false);
    time = 60_000;
    expect(checkpoints.due(3)).toBe(true);
    await checkpoints.save(3, content);
    expect(checkpoints.due(4)).toBe(false);
  });

  it('clears up after a process that was killed, bringing back what was moved aside', async () => {
    for (const name of [
      'step-000001',
      '.step-000002.previous',
      '.step-000001.previous',
      '.step-000003.new-1234',
      'notes',
    ]) {
      await mkdir(join(folder, name), { recursive: true });
      await content(join(folder, name));
    }
    expect(await new CheckpointFolder({ folder }).open()).toMatchObject({ step: 2 });
    expect((await readdir(folder)).sort()).toEqual(['notes', 'step-000001', 'step-000002']);
  });

  it('leaves what was there when a write fails, and lets errors of others through', async () => {
    const checkpoints = new CheckpointFolder({ folder });
    await checkpoints.save(1, content);
    const failing = async (path: string) => {
      await content(path);
      throw new Error('of the writer');
    };
    await expect(checkpoints.save(2, failing)).rejects.toThrow('of the writer');
    await expect(checkpoints.save(1, failing)).rejects.toThrow('of the writer');
    expect(await readdir(folder)).toEqual(['step-000001']);
    expect(await readdir(join(folder, 'step-000001'))).toEqual(['content']);
  });
});
