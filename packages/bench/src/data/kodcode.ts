// KodCode: Python problems with tests, in the prompt and completion form of MemGen.
import { MemGenError, Random } from '@memgen/common';
import { z } from 'zod';
import type { SupervisedRow } from '../evaluation/types.js';
import { findDataFiles, isFolder, resolveDataSource } from './find-data-file.js';
import { parseRow } from './parse-row.js';
import { readJsonRows } from './read-json-rows.js';
import { splitByShares, type Shares, type ThreeWaySplit } from './split.js';

const text = z
  .string({ error: 'a string' })
  .refine((value) => value.trim() !== '', { error: 'text that is not empty' });
const rowSchema = z
  .looseObject({
    question_id: text.optional(),
    question: text,
    solution: text,
    /** `test` on the hub, `test_code` in the releases with trials. */
    test: text.optional(),
    test_code: text.optional(),
    test_info: z.array(z.looseObject({ function_name: text.nullish() }), { error: 'a list or null' }).nullish(),
  })
  .refine(({ test, test_code }) => /^\s*(?:async )?def test_/m.test(test ?? test_code ?? ''), {
    path: ['test'],
    error: 'code with functions whose names start with test_, under "test" or "test_code"',
  });

const instruction = 'Write an efficient and correct Python function to solve the following problem.';

export interface KodCodeRow extends SupervisedRow {
  /** Python in the manner of pytest. */
  tests: string;
  /** Name that the tests call; undefined for problems about classes. */
  functionName: string | undefined;
}

export interface LoadKodCodeOptions {
  /**
   * A file of JSON lines or of one JSON array, plain or gzipped; or a folder with files whose names start
   * with `kodcode`. Default `$MEMGEN_DATA`.
   */
  source?: string;
  /** Their sum is 1. Default 0.8, 0.1 and 0.1. */
  shares?: Shares;
  /** Decides which rows go where. */
  seed: number;
  /** Default `process.env`. */
  environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads KodCode and divides it. A problem's forms (instruction `_I`, completion `_C`) have one solution, so they stay
 * on one side; the reference draws row by row.
 *
 * @throws MemGenError `data-source`, `data-missing`, `data-row`, `data-empty`, `data-split` or those of reading.
 */
export async function loadKodCode({
  source,
  shares = { train: 0.8, validation: 0.1, test: 0.1 },
  seed,
  environment = process.env,
}: LoadKodCodeOptions): Promise<ThreeWaySplit<KodCodeRow> & { files: string[] }> {
  const place = resolveDataSource('KodCode', source, environment);
  const files = (await isFolder(place)) ? await findDataFiles(place, /^kodcode.*\.jsonl?(?:\.gz)?$/) : [place];
  const rows: KodCodeRow[] = [];
  for (const file of files) rows.push(...(await readKodCodeFile(file)));
  const random = Random.fromSeed(seed).fork('kodcode/split');
  const groupOf = ({ id }: KodCodeRow) => id.replace(/_[IC]$/, '');
  return { ...splitByShares(rows, { random, shares, groupOf }), files };
}

/** Ids are the data set's own, else file line by line. */
export async function readKodCodeFile(path: string): Promise<KodCodeRow[]> {
  const rows: KodCodeRow[] = [];
  for await (const { value, line, where } of readJsonRows(path)) {
    const row = parseRow(rowSchema, value, where);
    rows.push({
      id: `kodcode/${row.question_id ?? line}`,
      family: 'kodcode',
      messages: [{ role: 'user', content: `${instruction}Question: ${row.question}\n` }],
      completion: row.solution,
      solution: row.solution,
      tests: row.test ?? row.test_code ?? '',
      functionName: row.test_info?.[0]?.function_name ?? undefined,
    });
  }
  if (rows.length === 0) throw new MemGenError({ code: 'data-empty', where: path, message: 'the file has no rows' });
  return rows;
}
