// Figures of several processes become one; what is no figure is recognised.
import { describe, expect, it } from 'vitest';
import { FigureSet, median, type Figure } from './figure.js';
import { readMessage } from './message.js';

const decode: Figure = {
  ...{ measure: 'decode', sizes: { batch: 1, after: 128 }, unit: 'tokens/s', backend: 'wasm', dtype: 'float32' },
  samples: [3],
};

describe('FigureSet', () => {
  it('joins the samples of the same work and keeps other work apart', () => {
    const figures = new FigureSet();
    figures.add(decode);
    figures.add({ ...decode, dtype: 'bfloat16' });
    figures.add({ ...decode, sizes: { after: 128, batch: 1 }, samples: [5, 4] });
    expect(figures.all()).toEqual([
      { ...decode, samples: [3, 5, 4] },
      { ...decode, dtype: 'bfloat16' },
    ]);
    expect(figures.find({ ...decode, backend: 'tensorflow' })).toBeUndefined();
  });
});

describe('median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 3], 3],
    [[4, 1, 3, 10], 3.5],
  ])('of %j', (samples, expected) => {
    expect(median(samples)).toBe(expected);
  });
});

describe('readMessage', () => {
  it('fills in what a figure leaves out', () => {
    const line = '{"figure":{"measure":"load","unit":"s","backend":"transformers","samples":[1.5]}}';
    expect(readMessage(line)).toEqual({
      figure: { measure: 'load', unit: 's', backend: 'transformers', samples: [1.5], sizes: {}, dtype: 'float32' },
    });
  });

  it.each([
    ['words of a library', '2026-01-01: using oneDNN'],
    ['a broken object', '{"figure":'],
    ['another object', '{"level":"info"}'],
    ['a figure without samples', '{"figure":{"measure":"load","unit":"s","backend":"wasm","samples":[]}}'],
    ['a figure that is no number', '{"figure":{"measure":"load","unit":"s","backend":"wasm","samples":[null]}}'],
  ])('passes over %s', (_, line) => {
    expect(readMessage(line)).toBeUndefined();
  });
});
