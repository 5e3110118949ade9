// Reads rows of JSON: one a line, or all of them in one array.
import { MemGenError } from '@memgen/common';
import { decode, readBytes, readJsonLines, tooLarge, type JsonLine } from './read-json-lines.js';

/**
 * Yields the rows of a file of JSON lines or of one JSON array (plain or gzipped); of an array, `line` counts the
 * items. An array is in memory as a whole.
 *
 * @param maximumBytes - of a file that is an array, after decompression; default 1 GiB.
 * @throws MemGenError as {@link readJsonLines}.
 */
export async function* readJsonRows(
  path: string,
  { maximumBytes = 2 ** 30 }: { maximumBytes?: number } = {},
): AsyncGenerator<JsonLine> {
  if (!(await startsWithBracket(path))) {
    yield* readJsonLines(path);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readBytes(path)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maximumBytes) throw tooLarge(path, 'the array', maximumBytes);
  }
  for (const [index, value] of parseArray(decode(Buffer.concat(chunks), path, true), path).entries()) {
    yield { value, line: index + 1, where: `${path}[${index}]` };
  }
}

async function startsWithBracket(path: string): Promise<boolean> {
  for await (const chunk of readBytes(path)) {
    const start = chunk.toString('latin1').trimStart();
    if (start !== '') return /^(?:\u00ef\u00bb\u00bf\s*)?\[/.test(start);
  }
  return false;
}

function parseArray(text: string, path: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch (error) {
    throw new MemGenError({
      code: 'data-json',
      where: path,
      message: 'the file is not valid JSON',
      got: error instanceof Error ? error.message : String(error),
      expected: 'one array of rows',
      cause: error,
    });
  }
}
