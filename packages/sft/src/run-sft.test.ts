// A run as a whole: interruptions of every kind lead to the same bits, the best model is kept, early stopping, errors.
import { MemGenError, Random } from '@memgen/common';
import { startBackend, type Decoder, type PlainSequence } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { trainAdapter } from './adapter-sft.js';
import type { EvaluationReport } from './evaluation.js';
import type { SftOptions, SftOutcome } from './sft-options.js';
import { plainRows, tinyAdapter, valuesOf } from './sft-rows.test-helper.js';
import { loadTrainingState } from './training-state.js';

let decoder: Decoder;
let root: string;
let count = 0;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  root = await mkdtemp(join(tmpdir(), 'memgen-run-'));
});
afterAll(async () => {
  decoder.dispose();
  await rm(root, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const validation = plainRows.slice(2);
const options: SftOptions<PlainSequence> = {
  batchSize: 1,
  gradientAccumulation: 2,
  steps: 9,
  schedule: { kind: 'cosine', peak: 0.05, warmup: 2 },
  adamW: { weightDecay: 0.1 },
  evaluation: { rows: validation, every: 2 },
  seed: 5,
};

function newFolder(): string {
  return join(root, `run ${count++}`);
}

/** Everything that a run ends with. */
interface Ending {
  outcome: SftOutcome;
  values: Map<string, Float32Array>;
  optimizer: Map<string, unknown>;
  checkpoints: string[];
}

async function run(folder: string, changes: Partial<SftOptions<PlainSequence>> = {}): Promise<Ending> {
  const adapter = tinyAdapter(decoder, { dropout: 0.3 });
  try {
    const outcome = await trainAdapter(decoder, adapter, plainRows, {
      ...options,
      checkpoints: { folder, everySteps: 2 },
      ...changes,
    });
    const { optimizerState } = await loadTrainingState(join(folder, `step-${String(outcome.step).padStart(6, '0')}`));
    const checkpoints = (await readdir(folder)).sort();
    const values = valuesOf(adapter.parameters());
    return { outcome, values, optimizer: new Map([...optimizerState].sort()), checkpoints };
  } finally {
    adapter.dispose();
  }
}

function withoutPath({ outcome, ...ending }: Ending) {
  const { best, ...others } = outcome;
  return { ...ending, ...others, best: [best?.step, best?.loss] };
}

describe('interruption', () => {
  it('at any of 20 random moments, also while a checkpoint is written, leads to the same bits', async () => {
    const whole = withoutPath(await run(newFolder()));
    expect(whole.checkpoints).toContain('step-000009');
    const random = Random.fromSeed(17);
    let interruptions = 0;
    while (interruptions < 20) {
      const folder = newFolder();
      for (let left = random.int(12); ; left = random.int(12)) {
        const strike = (what: string) => {
          if (left-- === 0) throw new Error(`struck ${what}`);
        };
        const changes: Partial<SftOptions<PlainSequence>> = {
          onStep: () => {
            strike('after a step');
          },
          evaluation: {
            ...options.evaluation!,
            onEvaluation: () => {
              strike('after an evaluation');
            },
          },
          checkpoints: {
            folder,
            everySteps: 2,
            write: async (path) => {
              await writeFile(join(path, 'half'), 'written');
              strike('while writing');
              await rm(join(path, 'half'));
            },
          },
        };
        const ending = await run(folder, changes).catch((error: unknown) => String(error));
        if (typeof ending !== 'string') {
          expect(withoutPath(ending)).toEqual(whole);
          break;
        }
        expect(ending).toMatch(/struck/);
        interruptions++;
        for (const name of existsSync(folder) ? await readdir(folder) : []) {
          expect(await readdir(join(folder, name)), name).not.toContain('half');
        }
      }
    }
  });

  it('by a signal, also within an evaluation, leads to the same bits', async () => {
    const whole = withoutPath(await run(newFolder()));
    for (const at of [1, 2, 5, 8]) {
      const folder = newFolder();
      const controller = new AbortController();
      const onStep = ({ step }: { step: number }) => {
        if (step === at) controller.abort();
      };
      const first = await run(folder, { signal: controller.signal, onStep });
      expect(first.outcome).toMatchObject({ step: at, complete: false });
      expect(withoutPath(await run(folder)), `step ${at}`).toEqual(whole);
    }
  });
});

describe('evaluation of a run', () => {
  it('keeps the newest checkpoints and the best, and can put the best weights back', async () => {
    const folder = newFolder();
    const reports: EvaluationReport[] = [];
    // A rate that overshoots makes the model worse after its best.
    const schedule = { kind: 'constant', peak: 0.3 } as const;
    const evaluation = { rows: validation, every: 1, onEvaluation: (report: EvaluationReport) => void reports.push(report) }; // prettier-ignore
    const { outcome, checkpoints } = await run(folder, { schedule, evaluation });
    const lowest = Math.min(...reports.map(({ loss }) => loss));
    const best = reports.find(({ loss }) => loss === lowest)!;
    expect(best.step).toBeLessThan(8);
    expect(outcome.best).toEqual({ step: best.step, loss: lowest, path: join(folder, `step-00000${best.step}`) });
    expect(checkpoints).toEqual([`step-00000${best.step}`, 'step-000008', 'step-000009']);

    const restored = await run(newFolder(), { schedule, evaluation: { ...evaluation, restoreBest: true } });
    const saved = (await loadTrainingState(outcome.best!.path!)).values;
    for (const [name, values] of restored.values) expect(values, name).toEqual(saved.get(name)!.data);
  });

  it('stops early, and a finished run has nothing more to do', async () => {
    const folder = newFolder();
    const evaluation = { rows: validation, every: 1, patience: 2, minimumImprovement: 100 };
    const first = await run(folder, { evaluation });
    expect(first.outcome).toMatchObject({ step: 3, complete: true, stoppedEarly: true });
    const again = await run(folder, { evaluation });
    expect(again).toEqual(first);
  });

  it('evaluates once an epoch, and after the last step', async () => {
    const steps: number[] = [];
    await run(newFolder(), {
      steps: 5,
      evaluation: { rows: validation, onEvaluation: ({ step }) => void steps.push(step) },
    });
    expect(steps).toEqual([2, 4, 5]);
  });
});

describe('a full disk', () => {
  it.skipIf(!existsSync('/dev/full'))(
    'leaves the last good checkpoint, says so, and costs nothing (needs /dev/full)',
    async () => {
      const whole = withoutPath(await run(newFolder()));
      const folder = newFolder();
      const checkpoints = {
        folder,
        everySteps: 2,
        write: (_: string, step: number) => (step === 6 ? writeFile('/dev/full', 'x') : Promise.resolve()),
      };
      const error: unknown = await run(folder, { checkpoints }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'disk-full', where: join(folder, 'step-000006') });
      expect(MemGenError.isInstance(error) && error.hint).toMatch(/free some space.*step 5 is whole|free some space.*step 4 is whole/); // prettier-ignore
      expect((await readdir(folder)).every((name) => /^step-\d+$/.test(name))).toBe(true);
      expect(withoutPath(await run(folder))).toEqual(whole);
    },
  );
});

describe('what cannot be gone on with', () => {
  it('is a checkpoint of other rows or settings', async () => {
    const folder = newFolder();
    await run(folder, { steps: 3 });
    const failure = run(folder, { seed: 6 });
    await expect(failure).rejects.toMatchObject({ code: 'training-state', got: 'seed 5', expected: 'seed 6' });
    const unmeasured = run(folder, { evaluation: { rows: plainRows } });
    await expect(unmeasured).rejects.toMatchObject({ got: expect.stringMatching(/^evaluation\.rows/) as string });
    const adapter = tinyAdapter(decoder, { dropout: 0.3 });
    const others = trainAdapter(decoder, adapter, plainRows.slice(1), { ...options, checkpoints: { folder } });
    await expect(others).rejects.toMatchObject({ code: 'training-state', got: expect.stringContaining('rows') as string }); // prettier-ignore
    adapter.dispose();
    const refused = run(folder, { checkpoints: { folder, resume: false } });
    await expect(refused).rejects.toMatchObject({ code: 'checkpoints-exist', got: 'a checkpoint of step 3' });
  });

  it.each<[string, Partial<SftOptions<PlainSequence>>]>([
    ['batchSize', { batchSize: 0 }],
    ['gradientAccumulation', { gradientAccumulation: 1.5 }],
    ['steps', { steps: -1 }],
    ['clipNorm', { clipNorm: 0 }],
    ['evaluation.every', { evaluation: { rows: validation, every: 0 } }],
    ['evaluation.patience', { evaluation: { rows: validation, patience: 0 } }],
    ['everySteps', { checkpoints: { folder: 'x', everySteps: 0 } }],
    ['keepLast', { checkpoints: { folder: 'x', keepLast: 0 } }],
    ['now', { checkpoints: { folder: 'x', everySeconds: 5 } }],
    ['checkpoint', { checkpoint: { due: () => false, save: () => Promise.resolve() } }],
  ])('is the setting of %s', async (where, changes) => {
    await expect(run(newFolder(), changes)).rejects.toMatchObject({ code: 'sft-options', where });
  });

  it('are best weights that are kept nowhere', async () => {
    const adapter = tinyAdapter(decoder);
    const evaluation = { rows: validation, restoreBest: true };
    const failure = trainAdapter(decoder, adapter, plainRows, { evaluation });
    await expect(failure).rejects.toMatchObject({ code: 'sft-options', where: 'evaluation.restoreBest' });
    adapter.dispose();
  });

  it('is a row without labels, and a loss that is no number: step and rows are named', async () => {
    const adapter = tinyAdapter(decoder);
    const empty = { ids: [1, 2], labels: [1, -100] };
    const unlabelled = trainAdapter(decoder, adapter, [...plainRows, empty]);
    await expect(unlabelled).rejects.toMatchObject({ code: 'labels-empty', where: 'row 4' });
    const evaluated = trainAdapter(decoder, adapter, plainRows, { evaluation: { rows: [empty] } });
    await expect(evaluated).rejects.toMatchObject({ code: 'labels-empty', where: 'evaluation row 0' });

    const initial = valuesOf(adapter.parameters());
    const broken = [...adapter.parameters().values()][1]!;
    tf.tidy(() => {
      broken.assign(tf.fill(broken.shape, NaN));
    });
    const failure = trainAdapter(decoder, adapter, plainRows, {
      batchSize: 2,
      gradientAccumulation: 2,
      shuffle: false,
    });
    await expect(failure).rejects.toMatchObject({ code: 'loss-not-finite', where: 'step 1, rows 0, 1' });
    const [name] = adapter.parameters().keys();
    expect(adapter.parameters().get(name!)!.dataSync()).toEqual(initial.get(name!));
    adapter.dispose();
  });
});
