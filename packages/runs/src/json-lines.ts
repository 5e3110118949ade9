// JSON lines: one record a line, read back with the line number in every error.
import { readFileSync } from 'node:fs';
import { MemGenError, toFileError } from '@memgen/common';

/** One record and its newline. `undefined` members are left out; NaN and infinities become `null`, as JSON has none. */
export function jsonLine(record: object): string {
  return `${JSON.stringify(record)}\n`;
}

/**
 * Reads records with `parse`. A last line without its newline was torn by a crash and is left out; any other line that
 * does not parse is an error. A missing file has no records.
 *
 * @param parse - gets the parsed JSON of a line; what it throws is reported with the line.
 * @throws MemGenError with code `json-lines` that names file and line.
 */
export function readJsonLines<T>(path: string, parse: (value: unknown) => T): T[] {
  const lines = readText(path).split('\n').slice(0, -1);
  return lines.flatMap((line, index) => (line === '' ? [] : [parseLine(line, `${path}:${index + 1}`, parse)]));
}

function parseLine<T>(line: string, where: string, parse: (value: unknown) => T): T {
  try {
    return parse(JSON.parse(line));
  } catch (error) {
    throw new MemGenError({
      code: 'json-lines',
      where,
      message: 'this line is not a record of the expected form',
      got: line.length > 120 ? `${line.slice(0, 120)}... (${line.length} characters)` : line,
      expected: error instanceof Error ? error.message : String(error),
      hint: 'remove the line if it was edited by hand, or start a new run',
      cause: error,
    });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw toFileError(error, 'read the file', path);
  }
}
