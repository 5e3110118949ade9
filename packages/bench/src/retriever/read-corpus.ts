// Reads a corpus of passages to search in.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';
import { parseRow } from '../data/parse-row.js';
import { readJsonRows } from '../data/read-json-rows.js';

export interface Passage {
  id: string;
  title: string;
  text: string;
}

const key = z.union([z.string(), z.number()], { error: 'a string or a number' });
const rowSchema = z.union(
  [
    z.object({ id: key, title: z.string(), text: z.string() }),
    // Search-R1's corpora: the title is the first line.
    z.object({ id: key, contents: z.string() }),
  ],
  { error: 'an object {id, title, text} or {id, contents}' },
);

/**
 * Reads JSON lines (or one array; plain or gzipped) of {id, title, text} or {id, contents: "title\ntext"}.
 *
 * @throws MemGenError `data-row`, `data-empty`, `data-duplicate` or those of reading.
 */
export async function readCorpus(path: string): Promise<Passage[]> {
  const passages: Passage[] = [];
  const ids = new Set<string>();
  for await (const { value, where } of readJsonRows(path)) {
    const row = parseRow(rowSchema, value, where);
    const { title, text } = 'contents' in row ? splitContents(row.contents) : row;
    const passage = { id: String(row.id), title, text };
    if (ids.has(passage.id)) {
      throw new MemGenError({
        code: 'data-duplicate',
        where,
        message: 'two passages have the same id',
        got: passage.id,
        hint: 'remove one of them',
      });
    }
    ids.add(passage.id);
    passages.push(passage);
  }
  if (passages.length === 0) {
    throw new MemGenError({ code: 'data-empty', where: path, message: 'the corpus has no passages' });
  }
  return passages;
}

/** First line and the rest. */
function splitContents(contents: string): { title: string; text: string } {
  const end = contents.indexOf('\n');
  return end < 0 ? { title: contents, text: '' } : { title: contents.slice(0, end), text: contents.slice(end + 1) };
}
