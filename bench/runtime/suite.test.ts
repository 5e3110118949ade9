// Which processes the runtime suite starts, and what follows from their figures.
import { describe, expect, it } from 'vitest';
import { buildRows } from '../frame/build-rows.js';
import { figureSchema, FigureSet, type FigureInput } from '../frame/figure.js';
import type { JobSettings, SuiteSettings } from '../frame/suite.js';
import { runtimeSuite } from './suite.js';

const settings: SuiteSettings = {
  ...{ quick: false, model: 'folder', backends: ['wasm', 'tensorflow'], only: new Set(runtimeSuite.groups) },
};

function labels(more: Partial<SuiteSettings>): string[] {
  return runtimeSuite.jobs({ ...settings, ...more }).map(({ label }) => label);
}

function rowsOf(figures: readonly FigureInput[], published = true) {
  const set = new FigureSet();
  for (const figure of figures) set.add(figureSchema.parse(figure));
  return buildRows(runtimeSuite, set, { published });
}

describe('jobs', () => {
  it('measure the bandwidth before all else, and after it unless in a hurry', () => {
    const all = labels({});
    expect([all[0], all.at(-1)]).toEqual(['memory bandwidth', 'memory bandwidth']);
    expect(labels({ only: new Set(['load']), quick: true, backends: ['wasm'] })).toEqual([
      ...['memory bandwidth', 'wasm float32: loading'],
    ]);
  });

  it('load in a process of its own for each sample', () => {
    expect(labels({ backends: ['wasm'] }).filter((label) => label === 'wasm float32: loading')).toHaveLength(3);
    const quick = labels({ backends: ['wasm'], quick: true, gguf: 'model.gguf' });
    expect(quick.filter((label) => label.includes('loading'))).toEqual([
      ...['wasm float32: loading', 'wasm float32: loading the GGUF file'],
    ]);
  });

  it('measure the reference only where there is one, on the same sizes', () => {
    expect(labels({}).some((label) => label.includes('transformers'))).toBe(false);
    const job = runtimeSuite.jobs({ ...settings, python: 'python3' }).find(({ program }) => program === 'python3')!;
    const told = JSON.parse(job.words.at(-1)!) as { decoding: unknown[]; prefill: number[]; model: string };
    expect(told).toMatchObject({ model: 'folder', prefill: [32, 256, 1024], training: [256, 1024] });
    expect(told.decoding).toHaveLength(6);
  });

  it('measure products in bfloat16 where TensorFlow has them and they are used', () => {
    const named = (only: string) => labels({ only: new Set([only]) }).filter((label) => label.includes('bfloat16'));
    expect(named('prefill')).toEqual(['tensorflow bfloat16: prefill']);
    expect(named('decode')).toEqual([]);
  });

  it('tell each process its backend', () => {
    const told = runtimeSuite.jobs({ ...settings, backends: ['cpu'], only: new Set(['decode']) })[1]!.words.at(-1)!;
    const job = JSON.parse(told) as { job: string; settings: JobSettings };
    expect(job).toMatchObject({ job: 'inference', settings: { backend: 'cpu', dtype: 'float32', only: ['decode'] } });
  });
});

const facts = { backend: 'wasm', unit: 'tokens/s' };
const decodeAt = (after: number, tokens: number, sample: number, more: Partial<FigureInput> = {}): FigureInput => ({
  ...{ ...facts, measure: 'decode', sizes: { batch: 1, after, tokens }, samples: [sample], ...more },
});

describe('rows', () => {
  it('compare the wall time of a generation with the published one', () => {
    const sizes = { batch: 4, after: 128, tokens: 128 };
    const [row] = rowsOf([{ ...facts, measure: 'generate', sizes, samples: [80] }]);
    expect(row).toMatchObject({ reference: 30.7, met: true });
    expect(row!.goal).toBeCloseTo(2.5 * 30.7);
  });

  it('ask for 60 % of the bandwidth and 1.5 times the measured reference', () => {
    const bandwidth = { measure: 'bandwidth-scan', unit: 'GB/s', backend: 'machine', samples: [20] };
    const ours = decodeAt(128, 128, 25, { least: { bytes: 5e8, amount: 1 } });
    const theirs = decodeAt(128, 128, 12, { backend: 'transformers' });
    expect(rowsOf([bandwidth, ours]).at(-1)).toMatchObject({ limit: 40, goal: 24, met: true });
    expect(rowsOf([bandwidth, ours, { ...theirs, samples: [18] }]).at(-1)).toMatchObject({ goal: 27, met: false });
  });

  it('tell how the time of a token grows, here and in the reference', () => {
    const theirs = [decodeAt(128, 128, 10), decodeAt(1024, 64, 4)].map((figure) => ({
      ...{ ...figure, backend: 'transformers' },
    }));
    const growth = { measure: 'decode-growth', unit: 'x', backend: 'transformers', samples: [2.5] };
    const rows = rowsOf([decodeAt(128, 128, 30), decodeAt(1024, 64, 25), ...theirs, growth]);
    expect(rows.at(-1)).toMatchObject({ value: 1.2, goal: 1.3, met: true, reference: 2.5 });
    expect(rowsOf([decodeAt(128, 128, 30)])).toHaveLength(1);
  });

  it('tell what a token takes in the cache and whether that stays so', () => {
    const cache = [256, 512, 1024].map((tokens) => ({
      ...{
        measure: 'step-cache-bytes',
        sizes: { tokens },
        unit: 'bytes',
        backend: 'wasm',
        samples: [100 + 40 * tokens],
      },
    }));
    const weighed = { measure: 'cache-bytes', sizes: { tokens: 256 }, unit: 'bytes', backend: 'wasm', samples: [1] };
    expect(rowsOf([weighed, ...cache])).toMatchObject([
      { unit: 'bytes', value: 40 },
      { unit: 'x', value: 1, met: true },
    ]);
  });

  it('have goals only for the model that they were set for', () => {
    const load = { measure: 'load-safetensors', unit: 's', backend: 'wasm', samples: [1.5] };
    expect(rowsOf([load])[0]).toMatchObject({ goal: 2, met: true });
    expect(rowsOf([load], false)[0]).not.toHaveProperty('goal');
  });
});
