// Progress on a terminal and in a log.
import { expect, it } from 'vitest';
import { progressPrinter } from './progress-printer.js';

function recorder(isTTY: boolean): { written: string[]; isTTY: boolean; write(text: string): void } {
  const written: string[] = [];
  return { written, isTTY, write: (text) => void written.push(text) };
}

it('keeps one moving line on a terminal and ends it', () => {
  const stream = recorder(true);
  const { update, end } = progressPrinter(stream);
  update('downloading', 1e6, 4e6);
  update('downloading', 1.001e6, 4e6);
  update('downloading', 4e6, 4e6);
  end();
  end();
  const clear = '\r\u001b[2K';
  expect(stream.written).toEqual([`${clear}downloading 25 % 1 MB`, `${clear}downloading 100 % 4 MB`, '\n']);
});

it('writes a line for each step and each tenth elsewhere', () => {
  const stream = recorder(false);
  const { update, end } = progressPrinter(stream);
  for (let done = 0; done <= 100; done++) update('downloading', done, 100);
  update('compiling');
  end();
  expect(stream.written).toHaveLength(12);
  expect(stream.written.slice(-2)).toEqual(['downloading 100 %\n', 'compiling\n']);
});
