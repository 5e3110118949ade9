// kill -9 while steps are taken and while checkpoints are written: the run goes on to the same bits.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainUntil } from './kill-training.test-helper.js';
import { trainInFolder } from './killed-run.test-helper.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-killed-'));
});
afterAll(() => rm(root, { recursive: true }));

it('a killed run goes on from its last checkpoint, to the same bits', async () => {
  const whole = await trainInFolder(join(root, 'whole'), () => undefined);
  const folder = join(root, 'killed');
  expect(await trainUntil(folder, (event) => event === 'writing 4')).toBe('SIGKILL');
  const left = await readdir(folder);
  expect(left).not.toContain('step-000004');
  expect(left.some((name) => name.startsWith('.step-000004.new-'))).toBe(true);
  expect(await trainUntil(folder, (event) => event === 'step 7')).toBe('SIGKILL');
  expect(await trainUntil(folder, (event) => event === 'writing 12')).toBe('SIGKILL');
  expect(await trainUntil(folder, () => false)).toEqual(whole);
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
});
