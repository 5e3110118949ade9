import { describe, expect, expectTypeOf, it } from 'vitest';
import { camelCaseKeys } from './camel-case.js';
import { outputPath } from './output-path.js';
import { editDistance, suggest } from './suggestion.js';

describe('camelCaseKeys', () => {
  it('changes keys at every depth, in value and in type, and no values', () => {
    const pair: [number, string] = [1, 'a_b'];
    const converted = camelCaseKeys({ max_new_tokens: 4, nested_group: { a_b_c: pair }, rows: [{ x_1: null }] });
    expect(converted).toEqual({ maxNewTokens: 4, nestedGroup: { aBC: [1, 'a_b'] }, rows: [{ x1: null }] });
    expectTypeOf(converted.nestedGroup.aBC).toEqualTypeOf<[number, string]>();
    expectTypeOf(converted.rows[0]!.x1).toEqualTypeOf<null>();
  });
});

describe('suggest', () => {
  it('counts edits, a swap of neighbours as one', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('wieght', 'weight')).toBe(1);
    expect(editDistance('same', 'same')).toBe(0);
  });

  it('finds the nearest word and none that is far', () => {
    expect(suggest('learningRate', ['learning_rate', 'weight_decay'])).toBe('learning_rate');
    expect(suggest('batch-size', ['batch_size'])).toBe('batch_size');
    expect(suggest('sed', ['seed', 'model'])).toBe('seed');
    expect(suggest('colour', ['seed', 'model'])).toBeUndefined();
  });
});

describe('outputPath', () => {
  const values = { name: 'shop', seed: 3, now: new Date('2026-11-21T10:51:09.123Z') };

  it('fills the pattern in and refuses what it does not know', () => {
    expect(outputPath('runs/{name}-{timestamp}', values)).toBe('runs/shop-20261121-105109');
    expect(outputPath('out/{name}/s{seed}', values)).toBe('out/shop/s3');
    expect(() => outputPath('runs/{nmae}', values)).toThrow('{nmae}');
  });
});
