// TriviaQA: questions with the aliases of their answers.
import { MemGenError, Random } from '@memgen/common';
import { z } from 'zod';
import { findDataFile, isFolder, resolveDataSource } from './find-data-file.js';
import { parseRow } from './parse-row.js';
import { readJsonRows } from './read-json-rows.js';
import { splitByShares, type Shares, type ThreeWaySplit } from './split.js';

const text = z.string({ error: 'a string' });
const aliases = z.array(text, { error: 'a list of strings' }).min(1, { error: 'at least one answer' });
const rowSchema = z
  .looseObject({
    id: text.optional(),
    question_id: text.optional(),
    question: text.refine((value) => value.trim() !== '', { error: 'text that is not empty' }),
    /** As Search-R1 prepares the questions. */
    golden_answers: aliases.optional(),
    /** As the hub has them. */
    answer: z.looseObject({ normalized_aliases: aliases }).optional(),
  })
  .refine(({ golden_answers, answer }) => golden_answers !== undefined || answer !== undefined, {
    path: ['golden_answers'],
    error: 'a list of answers, under "golden_answers" or "answer.normalized_aliases"',
  });

/** A question of TriviaQA or of another set in its form. */
export interface TriviaQaRow {
  id: string;
  question: string;
  /** Every spelling that counts, at least one; not normalised. */
  answers: string[];
}

export interface LoadTriviaQaOptions {
  /** A file of JSON lines, or a folder that holds triviaqa_1000.jsonl or triviaqa.jsonl; also gzipped. Default `$MEMGEN_DATA`. */
  source?: string;
  /** Their sum is 1. Default 0.6, 0.1 and 0.3. */
  shares?: Shares;
  /** Decides which rows go where. */
  seed: number;
  /** Default `process.env`. */
  environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads TriviaQA and divides it; a question that occurs twice stays on one side.
 *
 * @throws MemGenError `data-source`, `data-missing`, `data-row`, `data-empty`, `data-split` or those of reading.
 */
export async function loadTriviaQa({
  source,
  shares = { train: 0.6, validation: 0.1, test: 0.3 },
  seed,
  environment = process.env,
}: LoadTriviaQaOptions): Promise<ThreeWaySplit<TriviaQaRow> & { files: string[] }> {
  const place = resolveDataSource('TriviaQA', source, environment);
  const names = ['triviaqa_1000.jsonl', 'triviaqa.jsonl'];
  const file = (await isFolder(place)) ? await findDataFile(place, names) : place;
  const random = Random.fromSeed(seed).fork('triviaqa/split');
  const rows = await readTriviaQaFile(file);
  return { ...splitByShares(rows, { random, shares, groupOf: ({ question }) => question }), files: [file] };
}

export async function readTriviaQaFile(path: string): Promise<TriviaQaRow[]> {
  const rows: TriviaQaRow[] = [];
  for await (const { value, line, where } of readJsonRows(path)) {
    const row = parseRow(rowSchema, value, where);
    const answers = row.golden_answers ?? row.answer?.normalized_aliases ?? [];
    rows.push({ id: `triviaqa/${row.id ?? row.question_id ?? line}`, question: row.question, answers });
  }
  if (rows.length === 0) throw new MemGenError({ code: 'data-empty', where: path, message: 'the file has no rows' });
  return rows;
}
