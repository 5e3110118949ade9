import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFolder } from '@memgen/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAnswers, type AnswerRecord } from './answers.js';
import { listCheckpoints } from './checkpoints.js';
import { readManifest } from './manifest.js';
import { readMetrics } from './metrics-log.js';
import { RunFolder, type NewRun, type SessionFacts } from './run-folder.js';

const session: SessionFacts = {
  command: ['train-app', '--seed', '7'],
  backend: { name: 'wasm', reason: 'the default' },
  packages: { '@tensorflow/tfjs': '4.22.0' },
};

const manifest: NewRun = {
  name: 'tiny-shop',
  seed: 7,
  config: { training: { learning_rate: 0.002 } },
  models: [{ role: 'reasoner', id: 'tiny', sha256: 'a'.repeat(64) }],
  data: [{ name: 'train', source: 'tiny-shop, seed 7', sha256: 'b'.repeat(64), rows: 6352 }],
  session,
};

function answer(step: number, row: string): AnswerRecord {
  return { step, arm: 'weaver', family: 'sum', row, prompt: 'p', completion: 'c', solution: 's', correct: true };
}

describe('RunFolder', () => {
  let parent: string;
  let path: string;
  let now: number;
  const clock = (): number => (now += 1000);
  const create = async (): Promise<RunFolder> => await RunFolder.create(path, { manifest, clock });
  const resume = async (step?: number): Promise<RunFolder> => await RunFolder.resume(path, { session, clock, step });
  const checkpoint = async (run: RunFolder, step: number): Promise<void> => {
    await replaceFolder(run.checkpointPath(step), async (folder) => {
      writeFileSync(join(folder, 'weights'), String(step));
      await Promise.resolve();
    });
  };

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-run-'));
    path = join(parent, 'nested', 'run');
    now = 1_700_000_000_000;
  });
  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it('leaves a manifest that repeats the run, metrics, events and answers', async () => {
    const run = await create();
    run.appendMetrics(1, { 'train/loss': 2.5, 'train/tokens_per_second': 100 });
    run.appendMetrics(2, { 'train/loss': NaN });
    run.appendAnswer(answer(2, '0'));
    await Promise.all([run.updateManifest({ results: { a: 1 } }), run.updateManifest({ results: { a: 2 } })]);
    await run.close('finished');
    await run.close('failed');

    const written = await readManifest(join(path, 'manifest.json'));
    expect(written).toMatchObject({ schema_version: 1, status: 'finished', seed: 7, results: { a: 2 } });
    expect(written.config).toEqual(manifest.config);
    expect(written.sessions).toHaveLength(1);
    expect(written.sessions[0]).toMatchObject({ command: session.command, from_step: 0 });
    expect(written.sessions[0]?.machine.node).toBe(process.version);
    expect(Date.parse(written.sessions[0]?.ended_at ?? '')).toBeGreaterThan(
      Date.parse(written.sessions[0]?.started_at ?? ''),
    );
    expect(readMetrics(path)).toMatchObject([
      { step: 1, 'train/loss': 2.5, 'train/tokens_per_second': 100 },
      { step: 2, 'train/loss': null },
    ]);
    expect(readAnswers(path)).toEqual([answer(2, '0')]);
    expect(readdirSync(path).sort()).toEqual(['answers.jsonl', 'manifest.json', 'metrics.jsonl', 'tensorboard']);
  });

  it('refuses a folder with a run, with something else, or with a run going on', async () => {
    const run = await create();
    await expect(create()).rejects.toMatchObject({ code: 'run-locked' });
    await expect(resume()).rejects.toMatchObject({ code: 'run-locked' });
    await run.close('finished');
    await expect(create()).rejects.toMatchObject({ code: 'run-exists' });
    path = join(parent, 'foreign');
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.tex'), '');
    await expect(create()).rejects.toMatchObject({ code: 'run-folder-foreign', got: 'thesis.tex' });
    await expect(resume()).rejects.toMatchObject({ code: 'run-missing' });
    expect(readdirSync(path)).toEqual(['thesis.tex']);
    path = join(path, 'thesis.tex', 'below-a-file');
    await expect(create()).rejects.toMatchObject({ code: 'file-not-found' });
  });

  it('takes over an empty folder whose lock a dead process left', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'run.lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 't' }));
    await (await create()).close('failed');
    expect(existsSync(join(path, 'run.lock'))).toBe(false);
  });

  it('goes on from the newest checkpoint without repeating a metric or an answer', async () => {
    const run = await create();
    for (const step of [1, 2, 3, 4, 5]) {
      run.appendMetrics(step, { 'train/loss': 10 - step });
      if (step % 2 === 0) await checkpoint(run, step);
    }
    run.appendAnswer(answer(4, '0'));
    run.appendAnswer(answer(5, '0'));
    await run.close('interrupted');

    const resumed = await resume();
    expect(resumed.resumedFrom).toEqual({ step: 4, path: run.checkpointPath(4) });
    expect(readAnswers(path)).toEqual([answer(4, '0')]);
    // Step 4 is there already; what a second evaluation adds to it is new once and only once.
    resumed.appendMetrics(4, { 'train/loss': 99, 'evaluation/accuracy': 0.5 });
    resumed.appendMetrics(5, { 'train/loss': 5 });
    await resumed.close('finished');
    expect(readMetrics(path).map((record) => ({ ...record, time: '' }))).toEqual([
      ...[1, 2, 3, 4].map((step) => ({ step, time: '', 'train/loss': 10 - step })),
      { step: 4, time: '', 'evaluation/accuracy': 0.5 },
      { step: 5, time: '', 'train/loss': 5 },
    ]);
    const { sessions } = await readManifest(join(path, 'manifest.json'));
    expect(sessions.map(({ from_step }) => from_step)).toEqual([0, 4]);
    // The events were rebuilt from the lines, times included: writing them once more gives the same bytes.
    const events = (): string[] =>
      readdirSync(join(path, 'tensorboard')).map((name) => readFileSync(join(path, 'tensorboard', name), 'hex'));
    const before = events();
    expect(before).toHaveLength(1);
    await checkpoint(run, 5);
    await (await resume()).close('finished');
    expect(events()).toEqual(before);
  });

  it('goes on from a chosen step, from the start when there is no checkpoint, and from no step that is not there', async () => {
    const run = await create();
    run.appendMetrics(1, { loss: 1 });
    await checkpoint(run, 1);
    await checkpoint(run, 2);
    await run.close('interrupted');
    await expect(resume(3)).rejects.toMatchObject({ code: 'checkpoint-missing', expected: '1, 2' });
    const earlier = await resume(1);
    expect(earlier.resumedFrom?.step).toBe(1);
    await earlier.close('interrupted');
    rmSync(join(path, 'checkpoints'), { recursive: true });
    const anew = await resume();
    expect(anew.resumedFrom).toBeUndefined();
    await anew.close('interrupted');
    expect(readMetrics(path)).toEqual([]);
  });

  it('goes on after a crash that tore the last lines and an atomic replace', async () => {
    const run = await create();
    run.appendMetrics(1, { loss: 1 });
    await checkpoint(run, 1);
    cpSync(path, join(parent, 'crashed'), { recursive: true });
    await run.close('finished');
    path = join(parent, 'crashed');
    writeFileSync(join(path, 'run.lock'), '');
    writeFileSync(join(path, 'metrics.jsonl'), '{"step":2,"lo', { flag: 'a' });
    writeFileSync(join(path, 'answers.jsonl'), '{"st', { flag: 'a' });
    cpSync(join(path, 'checkpoints', 'step-000001'), join(path, 'checkpoints', '.step-000001.previous'), {
      recursive: true,
    });
    rmSync(join(path, 'checkpoints', 'step-000001'), { recursive: true });
    mkdirSync(join(path, 'checkpoints', '.step-000002.new-x'));
    const resumed = await resume();
    expect(resumed.resumedFrom?.step).toBe(1);
    resumed.appendMetrics(2, { loss: 2 });
    await resumed.close('finished');
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8').split('\n')).toHaveLength(3);
  });

  it('names the damaged line or the damaged manifest', async () => {
    await (await create()).close('finished');
    writeFileSync(join(path, 'metrics.jsonl'), '{"step":0,"time":"2026-01-01T00:00:00.000Z"}\n{"step":"x"}\n');
    await expect(resume()).rejects.toMatchObject({ code: 'json-lines', where: join(path, 'metrics.jsonl:2') });
    writeFileSync(join(path, 'metrics.jsonl'), '');
    const text = readFileSync(join(path, 'manifest.json'), 'utf8');
    writeFileSync(join(path, 'manifest.json'), text.replace('"schema_version": 1', '"schema_version": 2'));
    await expect(resume()).rejects.toMatchObject({ code: 'manifest', where: join(path, 'manifest.json') });
    writeFileSync(join(path, 'manifest.json'), '{');
    await expect(resume()).rejects.toMatchObject({ code: 'manifest' });
    expect(existsSync(join(path, 'run.lock'))).toBe(false);
  });

  it('refuses metrics that are none', async () => {
    const run = await create();
    expect(() => {
      run.appendMetrics(1.5, { loss: 1 });
    }).toThrow('whole number');
    expect(() => {
      run.appendMetrics(1, { step: 1 });
    }).toThrow('belongs to the record');
    await run.close('failed');
  });

  it('lists the checkpoints in the order of their steps', async () => {
    const run = await create();
    for (const step of [5, 10, 1_000_000, 20]) await checkpoint(run, step);
    expect((await listCheckpoints(path)).map(({ step }) => step)).toEqual([5, 10, 20, 1_000_000]);
    await run.close('finished');
  });
});
