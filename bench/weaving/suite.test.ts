// What the weaving suite holds its figures against.
import { expect, it } from 'vitest';
import { buildRows } from '../frame/build-rows.js';
import { figureSchema, FigureSet } from '../frame/figure.js';
import { weavingSuite } from './suite.js';

it('compares with the official code', () => {
  const figures = new FigureSet();
  const facts = { backend: 'tensorflow', dtype: 'float32' };
  for (const figure of [
    { ...facts, measure: 'woven-generate', sizes: { batch: 4 }, unit: 'tokens/s', samples: [48] },
    { ...facts, measure: 'woven-training', sizes: { recomputing: 0 }, unit: 's', samples: [11.2] },
    { ...facts, measure: 'woven-training-memory', sizes: { recomputing: 0 }, unit: 'GiB', samples: [3.9] },
  ]) {
    figures.add(figureSchema.parse(figure));
  }
  const rows = buildRows(weavingSuite, figures, { published: true });
  expect(rows.map(({ reference, met }) => [reference, met])).toEqual([
    [13.7, false],
    [33.6, false],
    [10.4, true],
  ]);
  expect(rows[1]!.ratio).toBeCloseTo(3);
});

it('gives each training step a process of its own, for its peak of memory', () => {
  const jobs = weavingSuite.jobs({ quick: true, model: 'tiny', backends: ['wasm'], only: new Set(['training']) });
  expect(jobs.map(({ label }) => label)).toEqual([
    'memory bandwidth',
    'wasm float32: large products',
    'wasm float32: weaver training step, recomputing activations',
    'wasm float32: weaver training step, keeping activations',
  ]);
});
