import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunFolder } from '../run-folder.js';
import { renderReport } from './render-report.js';
import { runReport } from './run-report.js';

describe('runReport', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-run-report-'));
  });
  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it('shows curves, rewards, weave rate, answers before and after, machine and manifest', async () => {
    const path = join(parent, 'run');
    const git = { commit: 'a'.repeat(40), dirty: true };
    const session = { command: ['train', '--fast'], backend: { name: 'wasm', version: '4' }, packages: {}, git };
    const manifest = { name: 'policy', seed: 3, config: {}, models: [], data: [], session };
    const run = await RunFolder.create(path, { clock: () => 1_700_000_000_000, manifest });
    for (let step = 1; step <= 4; step++) {
      run.appendMetrics(step, { reward: step / 4, weave_rate: 0.5, 'train/learning_rate': 1e-5 });
      run.appendSamples(
        step,
        [0, 1, 2].map((i) => ({ prompt: 'p', completion: 'c', reward: i < step - 1 ? 1 : 0 })),
      );
    }
    for (const [arm, row, correct] of [
      ['before', '0', true],
      ['before', '1', false],
      ['after', '0', true],
      ['after', '1', true],
    ] as const) {
      run.appendAnswer({
        step: 4,
        arm,
        family: 'sum',
        row,
        prompt: `question ${row}`,
        completion: `${arm} ${row}`,
        solution: 's',
        correct,
      });
    }
    await run.close('finished');

    const data = await runReport(path, { writtenAt: '2026-01-01T00:00:00.000Z' });
    expect(data.summary).toBe('A run of 4 steps with seed 3: finished.');
    expect(data.curves.map(({ title }) => title)).toEqual(['Reward', 'Weave rate']);
    expect(data.moreCurves!.map(({ title }) => title)).toEqual(['Learning rate']);
    expect(data.highlights).toEqual([
      { value: '50.0\u00a0%', label: 'before', note: '1 of 2 answers right' },
      { value: '100.0\u00a0%', label: 'after', note: '2 of 2 answers right' },
    ]);
    expect(data.histograms![0]!.series.map(({ shares }) => shares)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    // The row that the arms disagree on comes first.
    expect(data.examples.map(({ title }) => title)).toEqual(['sum: 1', 'sum: 0']);
    expect(data.repeat.commands).toEqual(['train --fast']);

    const page = await renderReport(data);
    expect(page).toMatch(/aria-label="Rewards\. first quarter of the run: 0 100\.0\u00a0%/);
    expect(page).toContain('<summary>More curves</summary>');
    expect(page).toContain('aaaaaaaaaaaa and changes');
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it('refuses a folder that is no run', async () => {
    await expect(runReport(parent, { writtenAt: '' })).rejects.toMatchObject({ code: 'file-not-found' });
  });
});
