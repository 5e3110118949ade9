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
    {
      ...facts,
      measure: 'woven-training',
      sizes: { batch: 4, tokens: 256, recomputing: 0 },
      unit: 's',
      samples: [11.2],
    },
    {
      ...facts,
      measure: 'woven-training-memory',
      sizes: { batch: 4, tokens: 256, recomputing: 0 },
      unit: 'GiB',
      samples: [3.9],
    },
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
    'wasm float32: weaver training step 4 x 256, 1 + 5 points, recomputing activations',
    'wasm float32: weaver training step 4 x 256, 1 + 5 points, keeping activations',
  ]);
});

it('takes steps with products in bfloat16 where TensorFlow has them, of the size that the official code was measured with', () => {
  const only = new Set(['generate', 'points', 'training']);
  const jobs = weavingSuite.jobs({ quick: false, model: 'tiny', backends: ['tensorflow'], only });
  expect(jobs.map(({ label }) => label).filter((label) => label.includes('bfloat16'))).toEqual([
    'tensorflow bfloat16: weaver training step 4 x 256, 1 + 5 points, recomputing activations',
    'tensorflow bfloat16: weaver training step 4 x 256, 1 + 5 points, keeping activations',
  ]);
});

it('says what latents cost, and whether that grows in line with their number', () => {
  const figures = new FigureSet();
  const facts = { backend: 'wasm', dtype: 'float32' };
  const points = [0, 5, 20, 50].map((points) => ({ measure: 'woven-points', sizes: { points }, unit: 's', samples: [4 + points / 10] })); // prettier-ignore
  for (const figure of [
    { measure: 'bare-generate', sizes: { batch: 1 }, unit: 'tokens/s', samples: [60, 50, 90] },
    { measure: 'woven-generate', sizes: { batch: 1 }, unit: 'tokens/s', samples: [40, 25, 90] },
    ...points,
  ]) {
    figures.add(figureSchema.parse({ ...facts, ...figure }));
  }
  const rows = buildRows(weavingSuite, figures, { published: true });
  const price = rows.find(({ name }) => name.startsWith('time with latents,'));
  expect(price).toMatchObject({ value: 1.5, goal: 1.3, met: false });
  const growth = rows.find(({ name }) => name.startsWith('cost of a point'));
  expect(growth?.value).toBeCloseTo(1);
  expect(growth?.met).toBe(true);
});
