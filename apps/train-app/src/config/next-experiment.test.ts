import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadExperiment, parseExperiment, withNext } from './load-experiment.js';
import { printExperiment } from './print-experiment.js';

describe('next', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-next-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, ...lines: string[]): string => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };
  const shop = 'data: {task: tiny-shop}';

  it('is loaded with the experiment that names it, and is not inherited', async () => {
    write('second.yaml', 'extends: first.yaml', 'name: second', 'training: {epochs: 3}', 'next: third.yaml');
    write('third.yaml', 'extends: first.yaml', 'name: third');
    const file = write('first.yaml', 'name: first', 'seed: 4', shop, 'next: second.yaml');
    const { next } = await loadExperiment({ file });
    expect(next!.experiment).toMatchObject({ name: 'second', seed: 4, training: { epochs: 3 } });
    expect(next!.next!.experiment.name).toBe('third');
    expect(next!.next!.next).toBeUndefined();
    expect((await loadExperiment({ file, overrides: ['next=null'] })).next).toBeUndefined();
    const other = await loadExperiment({ file, overrides: ['next=third.yaml'] });
    expect(other.next!.experiment.name).toBe('third');
  });

  it('takes settings of its own, and shares those on which a memory depends', async () => {
    write('last.yaml', 'name: last', 'data: {task: gsm8k}');
    write('second.yaml', 'name: second', shop, 'next: last.yaml');
    const file = write('first.yaml', 'name: first', shop, 'next: second.yaml');
    const overrides = [
      'seed=9',
      'data.items=12',
      'training.max_steps=5',
      'next.training.max_steps=6',
      'next.next.training.max_steps=7',
      'next.seed=8',
    ];
    const { experiment, next } = await loadExperiment({ file, overrides });
    expect(experiment).toMatchObject({ seed: 9, data: { items: 12 }, training: { maxSteps: 5 } });
    expect(next!.experiment).toMatchObject({ seed: 8, data: { items: 12 }, training: { maxSteps: 6 } });
    // A task without a shop is not told of its size.
    expect(next!.next!.experiment).toMatchObject({ seed: 8, training: { maxSteps: 7 } });
    const nothing = write('alone.yaml', 'name: alone', shop);
    await expect(loadExperiment({ file: nothing, overrides: ['next.seed=1'] })).rejects.toMatchObject({
      code: 'config-override',
      where: '--set next.seed=1',
    });
    await expect(loadExperiment({ file, overrides: ['next.sed=1'] })).rejects.toMatchObject({ where: '--set sed=1' });
  });

  it('is refused in a circle, missing, or no file', async () => {
    const a = write('a.yaml', 'name: a', shop, 'next: b.yaml');
    const b = write('b.yaml', 'name: b', shop, 'next: a.yaml');
    await expect(loadExperiment({ file: a })).rejects.toMatchObject({ code: 'config-next', where: `${b}:3:1` });
    const lost = write('lost.yaml', 'name: a', shop, 'next: nowhere.yaml');
    await expect(loadExperiment({ file: lost })).rejects.toMatchObject({ code: 'file-not-found' });
    const list = write('list.yaml', 'name: a', shop, 'next: [a.yaml]');
    await expect(loadExperiment({ file: list })).rejects.toMatchObject({ code: 'config-next', got: '["a.yaml"]' });
  });

  it('stands in the manifest and in print with all of its settings', async () => {
    write('second.yaml', 'name: second', shop, 'training: {epochs: 5}');
    const file = write('first.yaml', 'name: first', shop, 'next: second.yaml');
    const loaded = await loadExperiment({ file });
    const again = parseExperiment(JSON.parse(JSON.stringify(withNext(loaded))), 'manifest.json');
    expect(again).toEqual(loaded);
    const printed = printExperiment(loaded);
    expect(parse(printed)).toMatchObject({ next: { name: 'second', training: { epochs: 5 } } });
    expect(await loadExperiment({ file: write('printed.yaml', printed) })).toEqual(loaded);
  });
});
