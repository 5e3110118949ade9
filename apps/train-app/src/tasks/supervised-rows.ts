// Rows of the data sets, as training takes them.
import type { SupervisedRow } from '@memgen/bench';
import type { ChatMessage } from '@memgen/common';
import { sha256OfFile } from '@memgen/runs';
import type { DataFacts, TrainingExample } from './task.js';

export function toExample({ id, messages, completion }: SupervisedRow): TrainingExample {
  return { name: id, messages: [...messages, { role: 'assistant', content: completion }] };
}

export function toPolicyRow<Row extends { messages: readonly ChatMessage[] }>(row: Row) {
  return { messages: row.messages, task: row };
}

/** @param rowsOf - rows of a file. */
export async function fileFacts(
  name: string,
  files: readonly string[],
  rowsOf: (file: string) => number,
): Promise<DataFacts[]> {
  const facts: DataFacts[] = [];
  for (const file of files) facts.push({ name, source: file, sha256: await sha256OfFile(file), rows: rowsOf(file) });
  return facts;
}
