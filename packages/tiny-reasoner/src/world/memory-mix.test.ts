// Tests of the mix of questions that need a memory and questions that do not.
import { describe, expect, it } from 'vitest';
import { isHeldOut } from './held-out.js';
import { memoryMixRows, type MixRow } from './memory-mix.js';
import { otherFamilies } from './row.js';
import { boxedAnswer } from './scoring.js';
import { createShop } from './shop.js';

const shop = createShop({ seed: 1 });
const isSkill = ({ family }: MixRow) => otherFamilies.some((other) => other === family);
const isGiven = ({ family }: MixRow) => family.endsWith('_given');

/** What a shop row asks about: things and numbers, whatever its wording and whether a list stands before it. */
function combination(row: MixRow): string {
  const question = row.messages[0].content.replace(/^Price[^.]*\. /, '');
  const things = shop.prices.map(({ item }) => item).filter((item) => new RegExp(`\\b${item}\\b`).test(question));
  return [...things.sort(), ...(question.match(/\d+/g) ?? [])].join('+');
}

describe('memoryMixRows', () => {
  const rows = memoryMixRows({ shop, seed: 3, rows: 400 });

  it('is half shop, half old skills, shuffled, and says which needs the memory', () => {
    expect(rows).toHaveLength(400);
    expect(rows.filter(({ needsMemory }) => needsMemory)).toHaveLength(200);
    for (const row of rows) {
      expect(row.needsMemory).toBe(!isSkill(row));
      expect(boxedAnswer(row.messages[1].content)).toBe(row.answer);
      expect(row.messages[0].content).not.toMatch(/Price|Note/);
      expect(row.given).toBe(0);
    }
    expect(new Set(rows.map(({ family }) => family))).toEqual(new Set(['sum', 'mul', 'change', ...otherFamilies]));
    const inFirstHalf = rows.slice(0, 200).filter(({ needsMemory }) => needsMemory).length;
    expect(inFirstHalf).toBeGreaterThan(70);
    expect(inFirstHalf).toBeLessThan(130);
  });

  it('answers by the prices of the shop', () => {
    const prices = new Map(shop.prices.map(({ item, price }) => [item as string, price]));
    for (const row of rows.filter(({ family }) => family === 'sum')) {
      const [, first, second] = /a (\w+) and a (\w+)/.exec(row.messages[0].content)!;
      expect(Number(row.answer)).toBe(prices.get(first!)! + prices.get(second!)!);
    }
  });

  it('gives a part of the shop questions with a price list that holds what they ask', () => {
    const hard = memoryMixRows({ shop, seed: 3, rows: 400, factsGiven: 0.25 });
    const given = hard.filter(isGiven);
    expect(given).toHaveLength(50);
    expect(hard.filter(({ needsMemory }) => needsMemory)).toHaveLength(150);
    for (const row of given) {
      expect(row.needsMemory).toBe(false);
      const [, list, question] = /^Price(?:s| list): ([^.]*)\. (.*)$/.exec(row.messages[0].content)!;
      const listed = list!.split(', ').map((entry) => entry.split(' '));
      expect(listed.length).toBeGreaterThanOrEqual(2);
      for (const [price, item] of listed) expect(shop.prices).toContainEqual({ item, price: Number(price) });
      const asked = /Cost: ([^.]*)\./.exec(row.messages[1].content)![1]!.split(', ');
      for (const thing of asked) {
        expect(question).toContain(thing.split(' ')[0]);
        expect(listed).toContainEqual(thing.split(' ').reverse());
      }
    }
    // The same wording otherwise.
    const isShopQuestion = /^(\w+ (buys a \w+ and|orders \d x|pays \d+ coins)|How much is)/;
    for (const row of hard.filter((own) => !isSkill(own))) {
      expect(row.messages[0].content.replace(/^Price[^.]*\. /, '')).toMatch(isShopQuestion);
    }
  });

  it('tests nothing that training shows, of any seed', () => {
    const training = [4, 5].flatMap((seed) => memoryMixRows({ shop, seed, rows: 600, factsGiven: 0.3 }));
    const test = memoryMixRows({ shop, seed: 4, rows: 300, factsGiven: 0.3, split: 'test' });
    const shown = new Set(training.filter((row) => !isSkill(row)).map(combination));
    const asked = new Set(training.map((row) => row.messages[0].content));
    for (const row of test) {
      if (isSkill(row)) expect(isHeldOut(row)).toBe(true);
      else expect(shown.has(combination(row))).toBe(false);
      expect(asked.has(row.messages[0].content)).toBe(false);
    }
  });

  it('repeats itself from its seed', () => {
    expect(memoryMixRows({ shop, seed: 3, rows: 400 })).toEqual(rows);
    expect(memoryMixRows({ shop, seed: 4, rows: 400 })).not.toEqual(rows);
  });

  it.each([-0.1, 1.5, NaN])('refuses a part of %d', (factsGiven) => {
    expect(() => memoryMixRows({ shop, seed: 1, rows: 4, factsGiven })).toThrow(/out of range/);
  });
});
