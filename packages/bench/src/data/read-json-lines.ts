// Reads a JSON-lines file line by line, gzipped or not; it is never in memory as a whole.
import { open } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { MemGenError, toFileError } from '@memgen/common';

/** One line that is not blank. */
export interface JsonLine {
  value: unknown;
  /** Counted from 1, blank lines included. */
  line: number;
  /** `path:line`, for errors about the value. */
  where: string;
}

export interface JsonLinesLimits {
  /** Longest line in bytes. Default 16 MiB. */
  maximumLineBytes?: number;
  /** Size after decompression. Default 4 GiB. */
  maximumBytes?: number;
}

const newline = 0x0a;

/**
 * Yields the parsed lines of a file. Gzip is recognised by its content, not by the name of the file.
 *
 * @throws MemGenError `data-json`, `data-encoding`, `data-gzip`, `data-size`, or an error of the file system.
 */
export async function* readJsonLines(
  path: string,
  { maximumLineBytes = 16 * 2 ** 20, maximumBytes = 4 * 2 ** 30 }: JsonLinesLimits = {},
): AsyncGenerator<JsonLine> {
  let line = 0;
  for await (const bytes of readLines(path, maximumLineBytes, maximumBytes)) {
    line++;
    const where = `${path}:${line}`;
    const text = decode(bytes, where, line === 1);
    if (text.trim() !== '') yield { value: parse(text, where), line, where };
  }
}

async function* readLines(path: string, maximumLineBytes: number, maximumBytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let lineBytes = 0;
  let totalBytes = 0;
  for await (const chunk of readBytes(path)) {
    totalBytes += chunk.length;
    if (totalBytes > maximumBytes) throw tooLarge(path, 'the file', maximumBytes);
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      lineBytes = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    lineBytes += chunk.length - start;
    if (lineBytes > maximumLineBytes) throw tooLarge(path, 'a line', maximumLineBytes);
  }
  if (lineBytes > 0) yield Buffer.concat(parts);
}

/** Bytes of a file, decompressed if it is gzipped. */
export async function* readBytes(path: string): AsyncGenerator<Buffer> {
  try {
    const file = await open(path);
    try {
      const magic = Buffer.alloc(2);
      await file.read(magic, 0, 2, 0);
      const source = file.createReadStream({ start: 0, autoClose: false });
      const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
      yield* isGzip ? decompressed(source) : (source as AsyncIterable<Buffer>);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isZlibError(error)) {
      throw new MemGenError({
        code: 'data-gzip',
        where: path,
        message: 'the file cannot be decompressed to its end',
        got: error.message,
        hint: 'it is damaged or cut short: get it again',
        cause: error,
      });
    }
    throw toFileError(error, 'read the data', path);
  }
}

async function* decompressed(source: Readable): AsyncGenerator<Buffer> {
  const output = new PassThrough();
  const done = pipeline(source, createGunzip(), output);
  // Its failure also ends `output`, where it is seen; this keeps it from counting as unhandled.
  done.catch(() => undefined);
  yield* output as AsyncIterable<Buffer>;
  await done;
}

export function decode(bytes: Buffer, where: string, isFirst: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: !isFirst }).decode(bytes);
  } catch (error) {
    throw new MemGenError({
      code: 'data-encoding',
      where,
      message: 'the line is not valid UTF-8',
      hint: 'convert the file to UTF-8',
      cause: error,
    });
  }
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MemGenError({
      code: 'data-json',
      where,
      message: 'the line is not valid JSON',
      got: error instanceof Error ? error.message : String(error),
      expected: 'one JSON value a line (JSON lines)',
      cause: error,
    });
  }
}

export function tooLarge(path: string, what: string, limit: number): MemGenError {
  return new MemGenError({
    code: 'data-size',
    where: path,
    message: `${what} is too large`,
    expected: `at most ${limit} bytes`,
    hint: 'check that this is the right file; the limit can be raised',
  });
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
