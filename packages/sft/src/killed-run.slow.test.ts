// kill -9 at twenty random moments of runs, each of which goes on to the same bits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import { expect, it } from 'vitest';
import { trainUntil } from './kill-training.test-helper.js';
import { trainInFolder } from './killed-run.test-helper.js';

it('twenty random kills change nothing', async () => {
  const root = await mkdtemp(join(tmpdir(), 'memgen-kills-'));
  const whole = await trainInFolder(join(root, 'whole'), () => undefined);
  const random = Random.fromSeed(23);
  for (let kills = 0, run = 0; kills < 20; run++) {
    let result: unknown = 'SIGKILL';
    while (result === 'SIGKILL') {
      const at = random.int(16);
      result = await trainUntil(join(root, `run ${run}`), (_, before) => before === at);
      if (result === 'SIGKILL') kills++;
    }
    expect(result, `run ${run}, ${kills} kills`).toEqual(whole);
  }
  await rm(root, { recursive: true });
}, 600_000);
