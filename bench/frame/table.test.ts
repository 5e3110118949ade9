// Rows as text, and as a table in a document.
import { MemGenError } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { replaceBetweenMarks } from './document.js';
import { makeRow } from './row.js';
import { formatNumber, markdownTable, textTable } from './table.js';

const rows = [
  makeRow({
    ...{ name: 'decode', unit: 'tokens/s', better: 'higher', backend: 'wasm', dtype: 'float32', value: 30 },
    ...{ spread: { minimum: 28, maximum: 31.25, repetitions: 3 }, limit: 40, reference: 10 },
    ...{ goal: { timesReference: 1.5 }, notes: ['reference: published constant'] },
  }),
  makeRow({
    ...{ name: 'load', unit: 's', better: 'lower', backend: 'wasm', dtype: 'float32', value: 2.5 },
    ...{ spread: { minimum: 2.5, maximum: 2.5, repetitions: 1 }, goal: { value: 2 } },
  }),
];

describe('tables', () => {
  it('show value, limit, reference and goal of each row', () => {
    const [, , decode, load, footnote] = textTable(rows).split('\n');
    expect(decode!.split(/ {2,}/)).toEqual([
      ...['decode', 'tokens/s', '30.0', '28.0 - 31.3', '40.0', '75 %', '10.0*', '3.00', '>= 15.0', 'yes'],
    ]);
    expect(load!.split(/ {2,}/)).toEqual(['load', 's', '2.50', ...['-', '-', '-', '-', '-'], '<= 2.00', 'no']);
    expect(footnote).toMatch(/^\* published/);
  });

  it('have a cell for each title in Markdown', () => {
    const lines = markdownTable(rows.slice(1)).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines.map((line) => line.split('|').length)).toEqual([12, 12, 12]);
    expect(markdownTable(rows)).toContain('10.0\\*');
  });
});

describe('formatNumber', () => {
  it.each([
    [undefined, '-'],
    [0, '0.00'],
    [12345.6, '12346'],
    [42.123, '42.1'],
    [0.0123456, '0.0123'],
    [0.00033, '0.000330'],
  ])('%s is %s', (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });
});

describe('replaceBetweenMarks', () => {
  it('replaces the table and nothing else, again and again', () => {
    const text = 'before\n<!-- runtime:begin -->\nold\n<!-- runtime:end -->\nafter\n';
    const once = replaceBetweenMarks(text, 'runtime', '| new |');
    expect(once).toBe('before\n<!-- runtime:begin -->\n\n| new |\n\n<!-- runtime:end -->\nafter\n');
    expect(replaceBetweenMarks(once, 'runtime', '| new |')).toBe(once);
  });

  it('asks for the marks', () => {
    expect(() => replaceBetweenMarks('<!-- runtime:end --><!-- runtime:begin -->', 'runtime', '')).toThrow(MemGenError);
  });
});
