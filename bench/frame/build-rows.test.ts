// Each figure finds its limit and its reference among the figures of the run.
import { describe, expect, it } from 'vitest';
import { buildRows } from './build-rows.js';
import { figureSchema, FigureSet, type FigureInput } from './figure.js';
import type { Suite } from './suite.js';

const suite: Pick<Suite, 'kinds' | 'derive' | 'published'> = {
  kinds: {
    decode: { title: ({ batch }) => `decode, batch ${batch}`, better: 'higher', goal: () => ({ timesReference: 1.5 }) },
    training: {
      title: () => 'training',
      better: 'lower',
      goal: () => ({ value: 9 }),
    },
    growth: { title: () => 'growth', better: 'lower' },
  },
  derive: () => [],
  published: [{ measure: 'decode', sizes: { batch: 4 }, value: 10 }],
};

function rowsOf(figures: readonly FigureInput[], options = { published: true }, derive = suite.derive) {
  const set = new FigureSet();
  for (const figure of figures) set.add(figureSchema.parse(figure));
  return buildRows({ ...suite, derive }, set, options);
}

const decode = { measure: 'decode', sizes: { batch: 4 }, unit: 'tokens/s', backend: 'wasm', samples: [20, 40, 30] };
const training = { measure: 'training', unit: 's', backend: 'wasm', samples: [8] };
const limits = [
  { measure: 'bandwidth-copy', unit: 'GB/s', backend: 'machine', samples: [10] },
  { measure: 'bandwidth-scan', unit: 'GB/s', backend: 'machine', samples: [20, 16, 24] },
  { measure: 'matmul', unit: 'GFLOP/s', backend: 'wasm', samples: [50] },
  { measure: 'matmul', unit: 'GFLOP/s', backend: 'tensorflow', samples: [200] },
];

describe('buildRows', () => {
  it('has a row for each known measure of a backend, with median and spread', () => {
    const rows = rowsOf([decode, { ...decode, backend: 'transformers' }, { ...decode, measure: 'unknown' }]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      name: 'decode, batch 4 (wasm, float32)',
      value: 30,
      spread: { minimum: 20, maximum: 40, repetitions: 3 },
    });
  });

  it('limits a rate by the best bandwidth at its best moment', () => {
    const least = { bytes: 2e9, amount: 4 };
    expect(rowsOf([...limits, { ...decode, least }])[0]!.limit).toBeCloseTo(48);
  });

  it('limits a time by the arithmetic of its own backend, or by the bandwidth if that takes longer', () => {
    const least = { operations: 100e9, bytes: 1e9 };
    expect(rowsOf([...limits, { ...training, least }])[0]!.limit).toBeCloseTo(2);
    expect(rowsOf([...limits, { ...training, backend: 'tensorflow', least }])[0]!.limit).toBeCloseTo(0.5);
    expect(rowsOf([...limits, { ...training, least: { ...least, bytes: 60e9 } }])[0]!.limit).toBeCloseTo(2.5);
  });

  it('takes the limit that a figure brings, and none where nothing was measured', () => {
    expect(rowsOf([{ ...training, limit: 1 }])[0]!.limit).toBe(1);
    expect(rowsOf([{ ...training, least: { operations: 1e9 } }])[0]).not.toHaveProperty('limit');
  });

  it('keeps the rows of a backend together', () => {
    const rows = rowsOf([training, { ...training, backend: 'tensorflow' }, decode]);
    expect(rows.map(({ backend }) => backend)).toEqual(['wasm', 'wasm', 'tensorflow']);
  });

  it('prefers the reference of the run to the published constant, which is marked', () => {
    const measured = { ...decode, backend: 'transformers', samples: [15] };
    expect(rowsOf([decode, measured])[0]).toMatchObject({ reference: 15, ratio: 2, goal: 22.5, met: true });
    expect(rowsOf([decode])[0]).toMatchObject({ reference: 10, note: expect.stringContaining('published constant') });
    expect(rowsOf([{ ...decode, sizes: { batch: 1 } }])[0]).not.toHaveProperty('reference');
  });

  it('keeps published constants and goals away from other models', () => {
    const [decodeRow, trainingRow] = rowsOf([decode, training], { published: false });
    expect(decodeRow).not.toHaveProperty('reference');
    expect(trainingRow).not.toHaveProperty('goal');
    expect(rowsOf([training])[0]).toMatchObject({ goal: 9, met: true });
  });

  it('adds derived figures, which can have a reference too', () => {
    const growth = { measure: 'growth', unit: 'x', sizes: {}, samples: [1.2], dtype: 'float32' as const };
    const derive = () => [
      { ...growth, backend: 'wasm' },
      { ...growth, backend: 'transformers', samples: [1.8] },
    ];
    expect(rowsOf([], { published: false }, derive)).toMatchObject([
      { name: 'growth (wasm, float32)', reference: 1.8 },
    ]);
  });
});
