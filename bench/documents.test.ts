// The tables of docs/performance.md are those of the rows that lie beside it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceBetweenMarks } from './frame/document.js';
import { rowsSchema } from './frame/row.js';
import { markdownTable } from './frame/table.js';
import { suites } from './suites.js';

const docs = join(import.meta.dirname, '../docs');

describe.each(suites.map(({ name }) => name))('docs/performance.md, %s', (name) => {
  it('has a place for the table, and the table of the rows that were kept', async () => {
    const text = await readFile(join(docs, 'performance.md'), 'utf8');
    expect(text).toContain(`<!-- ${name}:begin -->`);
    const kept = await readFile(join(docs, `results/bench-${name}.json`), 'utf8').catch(() => undefined);
    if (kept === undefined) return;
    expect(text).toBe(replaceBetweenMarks(text, name, markdownTable(rowsSchema.parse(JSON.parse(kept)))));
  });
});
