// kill -9 at twenty random moments of runs, each of which goes on to the same bits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import { expect, it } from 'vitest';
import { runUntil } from '../../sft/src/kill-training.test-helper.js';
import { trainedParts, trainInFolder } from './killed-run.test-helper.js';

const script = join(import.meta.dirname, 'killed-run.test-helper.ts');

it.each(trainedParts)(
  'twenty random kills change nothing: %s GRPO',
  async (part) => {
    const root = await mkdtemp(join(tmpdir(), 'memgen-kills-grpo-'));
    const whole = await trainInFolder({ part, folder: join(root, 'whole') });
    const random = Random.fromSeed(23);
    for (let kills = 0, run = 0; kills < 20; run++) {
      let result: unknown = 'SIGKILL';
      while (result === 'SIGKILL') {
        // A whole run tells 48 rewards, 12 steps and 3 checkpoints.
        const at = random.int(64);
        result = await runUntil(script, [part, join(root, `run ${run}`)], (_, before) => before === at);
        if (result === 'SIGKILL') kills++;
      }
      expect(result, `run ${run}, ${kills} kills`).toEqual(whole);
    }
    await rm(root, { recursive: true });
  },
  600_000,
);
