// `pnpm bench SUITE`: measures every backend in processes of their own and prints the values beside limits and reference.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { parseCommand, usage, type Command } from './command-line.js';
import { replaceBetweenMarks } from './frame/document.js';
import { machineLine } from './frame/machine-line.js';
import { rowsSchema, type Row } from './frame/row.js';
import { runSuite } from './frame/run-suite.js';
import { markdownTable, textTable } from './frame/table.js';
import { prepareModel } from './prepare-model.js';
import { suites } from './suites.js';

/** The model that the published figures are of. */
const publishedModel = /smollm2-135m/i;

async function measure(command: Command): Promise<Row[]> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const { json, suite, model: source, ...settings } = command;
  const save = (rows: readonly Row[]) =>
    json === undefined ? Promise.resolve() : writeFileAtomically(json, `${JSON.stringify(rows, undefined, 2)}\n`);
  const prepared = await prepareModel(source, stop.signal);
  try {
    const { rows, failures } = await runSuite(suite, {
      ...settings,
      ...prepared,
      python: process.env['MEMGEN_PYTHON'],
      published: publishedModel.test(source),
      write: (text) => process.stderr.write(text),
      onRows: save,
      clock: () => performance.now(),
      signal: stop.signal,
    });
    await save(rows);
    for (const failure of failures) process.stderr.write(`failed: ${failure}\n`);
    if (failures.length > 0) process.exitCode = 1;
    if (stop.signal.aborted) process.exitCode = 130;
    return rows;
  } finally {
    await prepared.remove();
  }
}

async function readRows(path: string): Promise<Row[]> {
  const parsed = rowsSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new MemGenError({
    code: 'bench-file',
    where: path,
    message: 'not a file of --json',
    got: parsed.error.issues[0]?.message ?? 'something else',
  });
}

/** Where a document has the table: named as the file of rows is, `bench-NAME.json`, else as the suite. */
function placeOf({ json, show, suite }: Command): string {
  const [, name] = /^bench-(.+)\.json$/.exec(basename(json ?? show ?? '')) ?? [];
  return name ?? suite.name;
}

async function run(words: readonly string[]): Promise<void> {
  const command = parseCommand(words, suites);
  if (command === undefined) {
    process.stdout.write(usage(suites));
    return;
  }
  const { show, markdown } = command;
  if (show === undefined) process.stderr.write(`${machineLine()}\n`);
  const rows = show === undefined ? await measure(command) : await readRows(show);
  process.stdout.write(`${textTable(rows)}\n`);
  if (markdown === undefined) return;
  const document = await readFile(markdown, 'utf8');
  await writeFileAtomically(markdown, replaceBetweenMarks(document, placeOf(command), markdownTable(rows)));
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!MemGenError.isInstance(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
