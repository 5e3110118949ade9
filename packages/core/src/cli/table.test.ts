// Alignment of columns.
import { expect, it } from 'vitest';
import { table } from './table.js';

it('aligns columns, numbers at the right, without spaces at the end', () => {
  const rows = [
    ['name', 'count', ''],
    ['a longer name', '7', 'x'],
    ['b', '1,000,000'],
  ];
  expect(table(rows, { right: [1] })).toEqual([
    '  name               count',
    '  a longer name          7  x',
    '  b              1,000,000',
  ]);
});
