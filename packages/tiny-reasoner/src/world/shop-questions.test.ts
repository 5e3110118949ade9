// Tests of questions about the shop as rows of their own.
import { describe, expect, it } from 'vitest';
import { shopQuestionRows } from './shop-questions.js';
import { createShop } from './shop.js';

const shop = createShop({ seed: 1 });

describe('shopQuestionRows', () => {
  it('asks sums twice as often as multiples and change', () => {
    const rows = shopQuestionRows({ shop, seed: 1, rows: 2000 });
    const share = (family: string) => rows.filter((row) => row.family === family).length / rows.length;
    expect(share('sum')).toBeCloseTo(0.5, 1);
    expect(share('mul')).toBeCloseTo(0.25, 1);
    expect(share('change')).toBeCloseTo(0.25, 1);
  });

  it('asks the wanted families only, without any price in the prompt', () => {
    const rows = shopQuestionRows({ shop, seed: 1, rows: 200, families: ['mul', 'change'] });
    expect(new Set(rows.map(({ family }) => family))).toEqual(new Set(['mul', 'change']));
    expect(rows.some(({ messages: [question] }) => question.content.includes('Price'))).toBe(false);
  });

  it('keeps the payments of the test out of training', () => {
    const asked = (split: 'training' | 'test') =>
      shopQuestionRows({ shop, seed: 2, rows: 1000, split, families: ['change'] }).map(
        ({ messages: [question] }) => /pays \d+ coins for a \w+/.exec(question.content)![0],
      );
    const trained = new Set(asked('training'));
    const tested = new Set(asked('test'));
    expect(trained.size).toBe(32);
    expect(tested.size).toBe(16);
    expect([...tested].some((combination) => trained.has(combination))).toBe(false);
  });
});
