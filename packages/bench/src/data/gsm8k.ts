// GSM8K: grade-school mathematics, in the prompt and completion form of MemGen.
import { MemGenError, Random } from '@memgen/common';
import { z } from 'zod';
import type { SupervisedRow } from '../evaluation/types.js';
import { findDataFile, isFolder, resolveDataSource } from './find-data-file.js';
import { parseRow, preview } from './parse-row.js';
import { readJsonLines } from './read-json-lines.js';
import { splitRows } from './split.js';

const rowSchema = z.looseObject({
  question: z.string({ error: 'a string' }).refine((text) => text.trim() !== '', { error: 'text that is not empty' }),
  answer: z.string({ error: 'a string' }),
});

const instruction =
  'Solve the math problem with proper reasoning, and make sure to put the FINAL ANSWER inside \\boxed{}.';

export interface LoadGsm8kOptions {
  /**
   * A JSON-lines file (plain or gzipped) with rows {question, answer}, or a folder with the published files
   * (gsm8k_train.jsonl or train.jsonl, gsm8k_test.jsonl or test.jsonl, also with .gz). Default `$MEMGEN_DATA`.
   */
  source?: string;
  /** Share of the training rows kept for validation, in [0, 1). Default 0.1. */
  validationRatio?: number;
  /** Decides which rows are for validation. */
  seed: number;
  /** Default `process.env`. */
  environment?: Readonly<Record<string, string | undefined>>;
}

export interface Gsm8k {
  train: SupervisedRow[];
  validation: SupervisedRow[];
  /** Empty if the source is a single file. */
  test: SupervisedRow[];
  /** What was read, for the record of a run. */
  files: string[];
}

/**
 * Loads GSM8K and divides its training rows. The published files give 6725 / 748 / 1319 rows.
 *
 * @throws MemGenError `data-source`, `data-missing`, `data-row`, `data-answer`, and those of {@link readJsonLines}.
 */
export async function loadGsm8k({
  source,
  validationRatio = 0.1,
  seed,
  environment = process.env,
}: LoadGsm8kOptions): Promise<Gsm8k> {
  const place = resolveDataSource('GSM8K', source, environment);
  const random = Random.fromSeed(seed).fork('gsm8k/split');
  if (!(await isFolder(place))) {
    const rows = await readGsm8kFile(place, 'gsm8k/train');
    return { ...splitRows(rows, { random, validationRatio }), test: [], files: [place] };
  }
  const trainFile = await findDataFile(place, ['gsm8k_train.jsonl', 'train.jsonl']);
  const testFile = await findDataFile(place, ['gsm8k_test.jsonl', 'test.jsonl']);
  const rows = await readGsm8kFile(trainFile, 'gsm8k/train');
  const test = await readGsm8kFile(testFile, 'gsm8k/test');
  return { ...splitRows(rows, { random, validationRatio }), test, files: [trainFile, testFile] };
}

/**
 * Reads one file; the id of a row is `idPrefix` and its line.
 *
 * @throws MemGenError `data-empty`, `data-row`, `data-answer`, and those of {@link readJsonLines}.
 */
export async function readGsm8kFile(path: string, idPrefix: string): Promise<SupervisedRow[]> {
  const rows: SupervisedRow[] = [];
  for await (const { value, line, where } of readJsonLines(path)) {
    rows.push(gsm8kRow(parseRow(rowSchema, value, where), `${idPrefix}/${line}`, where));
  }
  if (rows.length === 0) {
    throw new MemGenError({ code: 'data-empty', where: path, message: 'the file has no rows' });
  }
  return rows;
}

/**
 * One row in MemGen's form. The strings are the reference's to the byte: results depend on them.
 *
 * @param where - shown in the error.
 * @throws MemGenError `data-answer` if no final answer follows a line that starts with `####`.
 */
export function gsm8kRow(
  { question, answer }: { question: string; answer: string },
  id: string,
  where = id,
): SupervisedRow {
  const parts = answer.trim().split('\n####');
  const finalAnswer = parts.at(-1)?.trim();
  if (parts.length < 2 || finalAnswer === undefined || finalAnswer === '') {
    throw new MemGenError({
      code: 'data-answer',
      where,
      message: 'the row has no final answer',
      got: preview(answer.slice(-60)),
      expected: 'a last line "#### " and the answer',
      hint: 'repair or remove the row',
    });
  }
  const completion = `${parts[0]}\\boxed{${finalAnswer}}`;
  return {
    id,
    family: 'gsm8k',
    messages: [{ role: 'user', content: `${instruction}Question: ${question.trim()}\n` }],
    completion,
    solution: completion,
  };
}
