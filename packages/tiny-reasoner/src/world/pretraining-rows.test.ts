// Tests of the stream of pre-training rows and of the rows held out from it.
import { describe, expect, it } from 'vitest';
import { evaluationRows } from './evaluation-rows.js';
import { givenText, isHeldOut } from './held-out.js';
import { createPretrainingRows, mainMix, type Mix } from './pretraining-rows.js';
import { families, priceFamilies, type WorldRow } from './row.js';
import { boxedAnswer } from './scoring.js';

function take(count: number, options: Parameters<typeof createPretrainingRows>[0]): WorldRow[] {
  const rows = createPretrainingRows(options);
  return Array.from({ length: count }, () => rows.next().value);
}

describe('createPretrainingRows', () => {
  const rows = take(3000, { seed: 1 });

  it('repeats itself from its seed', () => {
    expect(take(50, { seed: 1 })).toEqual(rows.slice(0, 50));
    expect(take(50, { seed: 2 })).not.toEqual(rows.slice(0, 50));
  });

  it('draws every family of the mix and boxes every answer', () => {
    expect(new Set(rows.map((row) => row.family))).toEqual(new Set(families));
    for (const row of rows) expect(boxedAnswer(row.messages[1].content)).toBe(row.answer);
  });

  it('states every price it uses, except in list_none', () => {
    for (const row of rows) {
      if (!priceFamilies.some((family) => family === row.family)) continue;
      const used = /Cost: ([^.]*)\./.exec(row.messages[1].content)![1]!.split(', ');
      const bare = /\nNote: ([\d, ]+)\./.exec(givenText(row))?.[1];
      if (bare !== undefined) expect(bare).toBe(used.map((price) => price.split(' ')[1]).join(', '));
      else for (const price of used) expect(givenText(row)).toContain(` ${price.split(' ').reverse().join(' ')}`);
    }
  });

  it('draws only families with a weight and follows a mix that changes', () => {
    let mix: Mix = { ...mainMix, weights: { day: 1 } };
    const stream = createPretrainingRows({ seed: 3, mix: () => mix });
    expect(stream.next().value.family).toBe('day');
    mix = { ...mainMix, weights: { clock: 1 } };
    expect(stream.next().value.family).toBe('clock');
  });

  it('never shows what evaluation asks', () => {
    const shown = new Set(rows.map(givenText));
    for (const family of families) {
      const held = evaluationRows({ seed: 1, family, count: 40 });
      expect(held).toHaveLength(40);
      for (const row of held) {
        expect(row.family).toBe(family);
        expect(isHeldOut(row)).toBe(true);
        expect(shown.has(givenText(row))).toBe(false);
      }
    }
  });
});
