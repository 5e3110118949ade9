// Ratio, goal and whether it is met, for values where more is better and where less is.
import { describe, expect, it } from 'vitest';
import { makeRow, rowSchema, shareOfLimit, type RowDraft } from './row.js';

function draft(value: number, more: Partial<RowDraft> = {}): RowDraft {
  const spread = { minimum: value, maximum: value, repetitions: 1 };
  const facts = { name: 'decode', unit: 'tokens/s', better: 'higher', backend: 'wasm', dtype: 'float32' } as const;
  return { ...facts, value, spread, ...more };
}

describe('makeRow', () => {
  it('has no more than what is known', () => {
    const row = makeRow(draft(3));
    expect(Object.keys(row).sort()).toEqual(['backend', 'better', 'dtype', 'name', 'spread', 'unit', 'value']);
    expect(rowSchema.parse(row)).toEqual(row);
  });

  it('compares with the reference so that more than 1 is better', () => {
    expect(makeRow(draft(30, { reference: 10 })).ratio).toBe(3);
    expect(makeRow(draft(30, { reference: 10, better: 'lower' })).ratio).toBeCloseTo(1 / 3);
  });

  it('puts goals into the unit and takes the hardest', () => {
    const goal = { timesReference: 1.5, ofLimit: 0.6 };
    const row = makeRow(draft(25, { reference: 14, limit: 40, goal }));
    expect(row).toMatchObject({ goal: 24, met: true, note: 'goal: 1.5 x reference and 60 % of the limit' });
    expect(makeRow(draft(25, { reference: 20, limit: 40, goal }))).toMatchObject({ goal: 30, met: false });
  });

  it('takes the hardest goal where less is better', () => {
    const row = makeRow(draft(8, { better: 'lower', reference: 28, goal: { timesReference: 3.5, value: 10 } }));
    expect(row).toMatchObject({ goal: 8, met: true });
    expect(makeRow(draft(1.31, { better: 'lower', goal: { value: 1.3 } })).met).toBe(false);
  });

  it('leaves out the parts of a goal whose standard was not measured', () => {
    const row = makeRow(draft(25, { limit: 40, goal: { timesReference: 1.5, ofLimit: 0.6 } }));
    expect(row).toMatchObject({ goal: 24, note: 'goal: 60 % of the limit' });
    expect(makeRow(draft(25, { goal: { timesReference: 1.5 } }))).not.toHaveProperty('goal');
  });
});

describe('shareOfLimit', () => {
  it('is 1 at the limit, whichever way is better', () => {
    expect(shareOfLimit({ value: 30, limit: 40, better: 'higher' })).toBe(0.75);
    expect(shareOfLimit({ value: 40, limit: 30, better: 'lower' })).toBe(0.75);
    expect(shareOfLimit({ value: 40, better: 'lower' })).toBeUndefined();
  });
});
