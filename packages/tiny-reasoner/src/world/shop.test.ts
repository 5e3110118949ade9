// Tests of the private shop: what training reveals, and that the test combines it in ways training never shows.
import { describe, expect, it } from 'vitest';
import type { WorldRow } from './row.js';
import { createShop, shopTestFamilies } from './shop.js';
import { itemNames } from './words.js';

/** What a row combines, whatever its wording and order: names of things and the numbers of the question. */
function combination(row: WorldRow): string {
  const question = row.messages[0].content;
  const things = itemNames.filter((item) => new RegExp(`\\b${item}\\b`).test(question));
  const numbers = question.match(/\d+/g) ?? [];
  return [...things, ...numbers].join('+');
}

describe.each([1, 2, 3])('createShop with seed %i', (seed) => {
  const shop = createShop({ seed });
  const training = shop.trainingRows(4000);
  const test = shop.testRows({ perFamily: 100 });

  it('has sixteen different things and the promised splits', () => {
    expect(new Set(shop.prices.map(({ item }) => item)).size).toBe(16);
    expect(shop.pairs.training).toHaveLength(48);
    expect(shop.pairs.test).toHaveLength(72);
    expect(shop.multiples.training).toHaveLength(32);
    expect(shop.multiples.test).toHaveLength(16);
  });

  it('tests no combination that training shows', () => {
    const shown = new Set(training.map(combination));
    for (const family of ['sum_new', 'mul_new', 'change'] as const) {
      for (const row of test[family]) expect(shown.has(combination(row))).toBe(false);
    }
  });

  it('reveals every price in training and none in a prompt', () => {
    for (const { item, price } of shop.prices) {
      const looked = training.filter((row) => row.family === 'look' && row.messages[0].content.includes(` ${item}`));
      expect(looked.length).toBeGreaterThan(0);
      for (const row of looked) expect(row.answer).toBe(String(price));
    }
    for (const row of [...training, ...shopTestFamilies.flatMap((family) => test[family])]) {
      expect(row.messages[0].content).not.toMatch(/Price|Note/);
      expect(row.given).toBe(0);
    }
  });

  it('draws look-ups, multiples and sums one to one to two', () => {
    const share = (family: string) => training.filter((row) => row.family === family).length / training.length;
    expect(share('look')).toBeCloseTo(0.25, 1);
    expect(share('mul')).toBeCloseTo(0.25, 1);
    expect(share('sum')).toBeCloseTo(0.5, 1);
  });

  it('has a curriculum: look-ups, then multiples with them, then everything', () => {
    const rows = createShop({ seed }).trainingRows(1000, { curriculum: true });
    const families = (from: number, to: number) =>
      [...new Set(rows.slice(from, to).map(({ family }) => family))].sort();
    expect(families(0, 200)).toEqual(['look']);
    expect(families(200, 350)).toEqual(['look', 'mul']);
    expect(families(350, 1000)).toEqual(['look', 'mul', 'sum']);
  });

  it('repeats itself; a longer run begins with the shorter', () => {
    expect(createShop({ seed }).trainingRows(100)).toEqual(training.slice(0, 100));
    expect(createShop({ seed }).testRows({ perFamily: 100 })).toEqual(test);
  });
});

it('refuses a shop that is too small to split', () => {
  expect(() => createShop({ seed: 1, items: 4 })).toThrow(/training and test/);
});
