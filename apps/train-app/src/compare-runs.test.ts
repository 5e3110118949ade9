import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest, RunFolder } from '@memgen/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedResults, compareRuns, runLabels } from './compare-runs.js';

const main = join(import.meta.dirname, 'main.ts');
const node = ['--import', 'tsx', '--conditions=@memgen/source', main];
// The app takes paths from where its command was given, which npm tells it.
const env = { ...process.env, INIT_CWD: undefined };

describe('compare', () => {
  let parent: string;
  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-compare-'));
    await writeRun('first', 0.5, 100);
    await writeRun('second', 0.75, 40);
  });
  afterAll(() => {
    rmSync(parent, { recursive: true });
  });

  async function writeRun(folder: string, accuracy: number, n: number): Promise<void> {
    const session = { command: ['npm', 'start'], backend: { name: 'wasm' }, packages: {} };
    const config = { training: { learning_rate: accuracy } };
    const run = await RunFolder.create(join(parent, folder), {
      clock: () => 1_700_000_000_000,
      manifest: { name: 'shop', seed: 1, config, models: [], data: [], session },
    });
    run.appendMetrics(1, { 'train/loss': 2 });
    run.appendMetrics(2, { 'train/loss': 1 });
    const overall = { n, correct: n * accuracy, accuracy, interval: { low: accuracy - 0.1, high: accuracy + 0.1 } };
    await run.updateManifest({
      results: {
        headline: [{ test: 'shop', arms: [{ arm: 'weaver', overall }] }],
        validation_loss: { weaver: accuracy },
      },
    });
    await run.close('finished');
  }

  it('writes one page, from the command line too', async () => {
    const out = join(parent, 'compare.html');
    const folders = ['first', 'second'].map((name) => join(parent, name));
    await compareRuns(folders, { out, now: () => 1_700_000_000_000 });
    const page = readFileSync(out, 'utf8');
    for (const text of ['first, second', 'training.learning_rate', '50.0\u00a0%', '[65.0, 85.0]', 'Validation loss']) {
      expect(page).toContain(text);
    }
    expect(page).toMatch(/aria-label="Training loss\. first: 2 at step 1, 1 at step 2\. second: /);

    const again = join(parent, 'again.html');
    const said = execFileSync(process.execPath, [...node, 'compare', ...folders, '--out', again], {
      env,
      encoding: 'utf8',
    });
    expect(said).toBe(`Report: ${again}\n`);
    expect(readFileSync(again, 'utf8').replace(/<p class="written">.*<\/p>/, '')).toBe(
      page.replace(/<p class="written">.*<\/p>/, ''),
    );
    const alone = spawnSync(process.execPath, [...node, 'compare', folders[0]!, '--out', again], {
      env,
      encoding: 'utf8',
    });
    expect(alone).toMatchObject({ status: 1, stdout: '' });
    expect(alone.stderr).toMatch(/^a comparison needs several runs/);
  });

  it('says when runs answered different numbers of rows, and stands results of another form', async () => {
    const manifests = await Promise.all(
      ['first', 'second'].map((name) => readManifest(join(parent, name, 'manifest.json'))),
    );
    const [first, second] = manifests.map((manifest) => ({ label: 'x', manifest }));
    const tables = comparedResults([first!, second!]);
    expect(tables.map(({ title }) => title)).toEqual(['Right answers: shop', 'Validation loss']);
    expect(tables[0]!.groups).toEqual([
      {
        label: 'weaver',
        rows: 100,
        values: { '0': { value: 0.5, low: 0.4, high: 0.6 }, '1': { value: 0.75, low: 0.65, high: 0.85 } },
      },
    ]);
    expect(tables[0]!.notes).toEqual([expect.stringContaining('different numbers of rows')]);
    expect(tables[1]!.notes).toBeUndefined();
    const other = { label: 'y', manifest: { ...second!.manifest, results: { score: 1 } } };
    expect(comparedResults([first!, other])[0]!.groups[0]!.values).not.toHaveProperty('1');
    expect(comparedResults([other, other])).toEqual([]);
  });

  it('names runs as briefly as tells them apart', () => {
    expect(runLabels(['runs/1', 'runs/2'], ['a', 'b'])).toEqual(['a', 'b']);
    expect(runLabels(['runs/1', 'runs/2/'], ['a', 'a'])).toEqual(['1', '2']);
    expect(runLabels(['x/1', 'y/1'], ['a', 'a'])).toEqual(['x/1', 'y/1']);
  });
});

describe('--print-config', () => {
  it('shows every setting as it will be used, and runs nothing', () => {
    const words = ['--set', 'weaver.lora.lora_alpha=5', '--print-config'];
    const text = execFileSync(process.execPath, [...node, ...words], { env, encoding: 'utf8' });
    expect(text).toMatch(/^name: tiny-shop\n/);
    expect(text).toContain('    alpha: 5\n');
    expect(text).toContain('  keep_checkpoints: 2\n');
    const wrong = spawnSync(process.execPath, [...node, '--set', 'sede=3', '--print-config'], {
      env,
      encoding: 'utf8',
    });
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
    expect(wrong.stderr).toContain('did you mean "seed"?');
    expect(wrong.stderr).not.toContain('    at ');
  });
});
