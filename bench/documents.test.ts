// The tables of docs/performance.md are those of the rows that lie beside it.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceBetweenMarks } from './frame/document.js';
import { rowsSchema } from './frame/row.js';
import { markdownTable } from './frame/table.js';
import { suites } from './suites.js';

const results = join(import.meta.dirname, '../docs/results');
const kept = readdirSync(results).flatMap((file) => /^bench-(.+)\.json$/.exec(file)?.[1] ?? []);
const read = () => readFile(join(results, '../performance.md'), 'utf8');

describe('docs/performance.md', () => {
  it.each(suites.map(({ name }) => name))('has a place for the rows of %s', async (name) => {
    expect(await read()).toContain(`<!-- ${name}:begin -->`);
  });

  it.each(kept)('has the table of the rows that were kept: %s', async (name) => {
    const text = await read();
    const rows = rowsSchema.parse(JSON.parse(await readFile(join(results, `bench-${name}.json`), 'utf8')));
    expect(text).toBe(replaceBetweenMarks(text, name, markdownTable(rows)));
  });
});
