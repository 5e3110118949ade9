// kill -9 in a rollout, after a step and while a checkpoint is written, and a full disk: the run goes on to the same bits.
import { MemGenError } from '@memgen/common';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runUntil, type IsTime } from '../../sft/src/kill-training.test-helper.js';
import { trainedParts, trainInFolder } from './killed-run.test-helper.js';

const script = join(import.meta.dirname, 'killed-run.test-helper.ts');
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-killed-grpo-'));
});
afterAll(() => rm(root, { recursive: true }));

describe.each(trainedParts)('%s GRPO', (part) => {
  let whole: Record<string, string>;
  beforeAll(async () => {
    whole = await trainInFolder({ part, folder: join(root, `whole ${part}`) });
  });

  it('goes on from the last checkpoint after a kill, to the same bits', async () => {
    const folder = join(root, `killed ${part}`);
    const trainUntil = (isTime: IsTime) => runUntil(script, [part, folder], isTime);
    expect(await trainUntil((event) => event === 'writing 4')).toBe('SIGKILL');
    const left = await readdir(folder);
    expect(left).not.toContain('step-000004');
    expect(left.some((name) => name.startsWith('.step-000004.new-'))).toBe(true);
    let steps = 0;
    const afterStepFive = (event: string) => {
      if (event.startsWith('step')) steps++;
      return steps >= 6 && event === 'reward';
    };
    expect(await trainUntil(afterStepFive)).toBe('SIGKILL');
    expect(await readdir(folder)).toContain('step-000004');
    const first: string[] = [];
    expect(await trainUntil((event) => (first.push(event), false))).toEqual(whole);
    expect(first.find((event) => event.startsWith('step'))).toBe('step 5');
    expect((await readdir(folder)).sort()).toEqual(['step-000008', 'step-000012']);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'keeps its last good checkpoint when the disk is full (needs /dev/full)',
    async () => {
      const folder = join(root, `full ${part}`);
      const whileWriting = (_: string, step: number) => (step === 8 ? writeFile('/dev/full', 'x') : Promise.resolve());
      const error: unknown = await trainInFolder({ part, folder, whileWriting }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'disk-full', where: join(folder, 'step-000008') });
      expect(MemGenError.isInstance(error) && error.hint).toContain('the checkpoint of step 4 is whole');
      expect(await readdir(folder)).toEqual(['step-000004']);
      expect(await trainInFolder({ part, folder })).toEqual(whole);
    },
  );
});
