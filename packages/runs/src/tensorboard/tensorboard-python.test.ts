// Event files as Python's package `tensorboard` reads them. MEMGEN_PYTHON names a Python that has it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFolder } from '@memgen/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RunFolder, type SessionFacts } from '../run-folder.js';
import { EventFile } from './event-file.js';

const python = process.env.MEMGEN_PYTHON;
const problem =
  python === undefined
    ? 'MEMGEN_PYTHON names no Python'
    : spawnSync(python, ['-c', 'import tensorboard']).status === 0
      ? undefined
      : 'the Python of MEMGEN_PYTHON has no tensorboard';

const readSchema = z.object({
  scalars: z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number().nullable()]))),
  texts: z.record(z.string(), z.array(z.tuple([z.number(), z.array(z.string())]))),
  plugins: z.record(z.string(), z.string()),
  tags: z.array(z.string()),
});

function read(folder: string): z.output<typeof readSchema> {
  const [file, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  const script = join(import.meta.dirname, '__fixtures__', 'read_events.py');
  const output = execFileSync(python!, [script, folder, join(folder, file!)], { encoding: 'utf8' });
  return readSchema.parse(JSON.parse(output));
}

describe.skipIf(problem !== undefined)(`TensorBoard in Python${problem === undefined ? '' : ` (${problem})`}`, () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-tensorboard-'));
  });
  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it('reads scalars and texts of any length, sign and script', () => {
    const file = EventFile.open(parent, { startTime: 1_700_000_000 });
    file.append(1_700_000_001.25, 0, { 'train/loss': 2.5, 'Präzision → ✓': -1 });
    file.append(1_700_000_002, 5_000_000_000, { 'train/loss': NaN });
    const long = 'x'.repeat(100_000);
    file.appendTexts(1_700_000_003, 7, 'samples', ['**einfach** ✓', '', long]);
    file.close();
    expect(read(parent)).toEqual({
      scalars: {
        'train/loss': [
          [0, 1_700_000_001.25, 2.5],
          [5_000_000_000, 1_700_000_002, null],
        ],
        'Präzision → ✓': [[0, 1_700_000_001.25, -1]],
      },
      texts: { samples: [[7, ['**einfach** ✓', '', long]]] },
      plugins: { 'train/loss': 'scalars', 'Präzision → ✓': 'scalars', samples: 'text' },
      tags: expect.any(Array),
    });
  });

  it('reads of a resumed run what its files say, nothing twice', async () => {
    const path = join(parent, 'run');
    const session: SessionFacts = { command: ['test'], backend: { name: 'wasm' }, packages: {} };
    const manifest = { name: 'test', seed: 1, config: {}, models: [], data: [], session };
    const clock = () => 1_700_000_000_000;
    const sample = (completion: string) => ({ prompt: 'p', completion, reward: 0.5 });
    const run = await RunFolder.create(path, { clock, manifest });
    for (const step of [1, 2, 3]) {
      run.appendMetrics(step, { reward: step });
      run.appendSamples(step, [sample(`step ${step}`)]);
      if (step === 2) await replaceFolder(run.checkpointPath(2), () => Promise.resolve());
    }
    await run.close('interrupted');
    const resumed = await RunFolder.resume(path, { session, clock });
    resumed.appendMetrics(3, { reward: 30 });
    resumed.appendSamples(3, [sample('again')]);
    await resumed.close('finished');

    const { scalars, texts } = read(join(path, 'tensorboard'));
    expect(scalars.reward!.map(([step, , value]) => [step, value])).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
    ]);
    expect(texts.samples!.map(([step]) => step)).toEqual([1, 2, 3]);
    expect(texts.samples![2]![1][0]).toBe('reward 0.5\n\nprompt\n\n    p\n\ncompletion\n\n    again');
  });
});
