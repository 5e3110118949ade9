import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAnswers, readManifest, readMetrics } from '@memgen/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from './config/load-experiment.js';
import { findCheckpoint } from './parts/starting-point.js';
import { runApp, shippedConfig, weightFiles } from './run-app.test-helper.js';

const steps = 4;
const lastCheckpoint = `step-${String(steps).padStart(6, '0')}`;
const file = shippedConfig('tiny-shop.yaml');
const fixtures = join(import.meta.dirname, '../../../packages/bench/src/data/__fixtures__');
const overrides = [
  'next=null',
  'backend=wasm',
  'data.train_rows=32',
  'data.test_rows_per_family=2',
  'data.skills_rows=6',
  `training.max_steps=${steps}`,
  'evaluation.max_new_tokens=8',
  'evaluation.batch_size=4',
];

describe('runExperiment', () => {
  let parent: string;
  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-experiment-'));
  });
  afterAll(() => {
    rmSync(parent, { recursive: true });
  });

  const run = runApp;
  const weights = (folder: string) => {
    const files = weightFiles(folder, steps);
    expect(files.length).toBeGreaterThan(1);
    return files;
  };
  const answers = (folder: string) =>
    readAnswers(folder)
      .map(({ arm, family, row, completion, ids }) => ({ arm, family, row, completion, ids }))
      .sort((a, b) => `${a.arm}/${a.family}/${a.row}`.localeCompare(`${b.arm}/${b.family}/${b.row}`));

  it('comes to the same end, interrupted in training and in evaluation or not at all', async () => {
    const whole = join(parent, 'whole');
    const parts = join(parent, 'parts');
    const loaded = await loadExperiment({ file, overrides });
    expect(await run({ loaded, out: whole })).toMatchObject({ complete: true });

    expect(await run({ loaded, out: parts }, `training  2/${steps}`)).toMatchObject({ complete: false });
    expect((await readManifest(join(parts, 'manifest.json'))).status).toBe('interrupted');
    expect(await run({ resume: parts }, 'shop: random-weaver  4/')).toMatchObject({ complete: false });
    const known = readAnswers(parts).length;
    expect(known).toBeGreaterThan(0);
    expect(existsSync(join(parts, 'report.html'))).toBe(false);
    // Batches of another size hold answers that are known and answers that are not.
    expect(await run({ resume: parts, overrides: ['evaluation.batch_size=3'] })).toMatchObject({ complete: true });

    expect(weights(parts)).toEqual(weights(whole));
    expect(answers(parts)).toEqual(answers(whole));
    const losses = (folder: string) => readMetrics(folder).map((record) => [record.step, record['train/loss']]);
    expect(losses(parts)).toEqual(losses(whole));
    const [first, second] = await Promise.all(
      [whole, parts].map((folder) => readManifest(join(folder, 'manifest.json'))),
    );
    expect(second!.sessions).toHaveLength(3);
    const headline = (results: unknown) => (results as { headline: unknown }).headline;
    expect(headline(second!.results)).toEqual(headline(first!.results));
    const page = readFileSync(join(parts, 'report.html'), 'utf8');
    for (const text of ['random-weaver', 'Training loss', 'Gradient norm', 'processor']) expect(page).toContain(text);
    // What uses the weaver later weaves as often as it was trained to.
    const { generation } = JSON.parse(
      readFileSync(join(whole, 'checkpoints', lastCheckpoint, 'memgen.json'), 'utf8'),
    ) as {
      generation: unknown;
    };
    expect(generation).toEqual({
      max_inference_points: 0,
      delimiter_rule: 'reference',
      minimum_point_distance: 1,
    });
  }, 120_000);

  it('stops early, ends with the best weights, and lets others start with them', async () => {
    const overrides = [
      'next=null',
      'backend=wasm',
      `data={task: gsm8k, source: ${join(fixtures, 'gsm8k')}, validation_rows: 1, test_rows: 0}`,
      'training.train=adapter',
      'training.max_length=256',
      'training.batch_size=1',
      'training.epochs=2',
      // So high that it soon gets worse.
      'training.warmup_steps=1',
      'training.learning_rate=30',
      'training.evaluate_every_steps=1',
      'training.patience=1',
      'training.restore_best=true',
      'evaluation.arms=null',
    ];
    const loaded = await loadExperiment({ file, overrides });
    const out = join(parent, 'early');
    const { said } = await run({ loaded, out });
    const losses = readMetrics(out).flatMap((record) => record['validation/loss'] ?? []);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(losses.length).toBe(best + 1);
    expect(losses.length).toBeLessThan(8);
    expect(said).toContain(`lowest validation loss ${losses[best - 1]!.toFixed(4)} after step ${best}`);
    const name = `step-00000${best}`;
    const { results } = await readManifest(join(out, 'manifest.json'));
    expect(results).toMatchObject({ checkpoint: name });
    // What is evaluated in the end are the best weights, not the last ones.
    const { adapter } = (results as { validation_loss: Record<string, number> }).validation_loss;
    expect(adapter).toBeCloseTo(losses[best - 1]!, 4);
    expect(await findCheckpoint(out)).toBe(join(out, 'checkpoints', name));

    const without = await loadExperiment({ file, overrides: ['next=null', 'training.restore_best=true', ...overrides.slice(1, 2)] }); // prettier-ignore
    await expect(run({ loaded: without, out: join(parent, 'no-rows') })).rejects.toMatchObject({
      where: 'training.restore_best',
    });
  }, 60_000);

  it('refuses a second run in the folder of another', async () => {
    const loaded = await loadExperiment({ file, overrides });
    await expect(run({ loaded, out: join(parent, 'whole') })).rejects.toMatchObject({ code: 'run-exists' });
  });
});
