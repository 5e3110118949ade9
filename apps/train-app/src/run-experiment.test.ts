import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readAnswers, readManifest, readMetrics } from '@memgen/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from './config/load-experiment.js';
import { runExperiment, type ExperimentRequest } from './run-experiment.js';

const steps = 4;
const lastCheckpoint = `step-${String(steps).padStart(6, '0')}`;
const file = fileURLToPath(new URL('../../../configs/tiny-shop.yaml', import.meta.url));
const overrides = [
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

  /** @param stopAt - the interrupt comes when this text is shown. */
  async function run(request: ExperimentRequest, stopAt?: string): Promise<{ complete: boolean; said: string }> {
    const interrupt = new AbortController();
    let said = '';
    const show = (text: string) => {
      said += text;
      if (stopAt !== undefined && text.includes(stopAt)) interrupt.abort();
    };
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        show(chunk.toString());
        done();
      },
    });
    let time = Date.UTC(2026, 0, 1);
    // Seconds pass at every look at the clock, so that each step and each batch writes its line.
    const now = () => (time += 6000);
    const context = { say: show, stream, now, signal: interrupt.signal, command: ['npm', 'start'] };
    return { complete: (await runExperiment(request, context)).complete, said };
  }

  const weights = (folder: string) => {
    const weaver = join(folder, 'checkpoints', lastCheckpoint);
    const files = readdirSync(weaver, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.safetensors'),
    );
    expect(files.length).toBeGreaterThan(1);
    return files.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(weaver, name)))
        .digest('hex'),
    ]);
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
    expect(generation).toEqual({ max_inference_points: 0 });
  }, 120_000);

  it('refuses a second run in the folder of another', async () => {
    const loaded = await loadExperiment({ file, overrides });
    await expect(run({ loaded, out: join(parent, 'whole') })).rejects.toMatchObject({ code: 'run-exists' });
  });
});
