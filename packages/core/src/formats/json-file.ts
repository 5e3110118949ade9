// Reads a JSON object from a file that may be anything.
import { MemGenError } from '@memgen/common';
import { describeJson } from './describe-json.js';
import { findDuplicateKey } from './duplicate-keys.js';
import { deepestJson, isTooDeep } from './json-depth.js';
import { RangedFile } from './ranged-file.js';

/** Far above any real tokenizer.json (Qwen3: 11 MB). */
const largestJson = 256 * 2 ** 20;

/**
 * @param what - named in errors. @default "a JSON file"
 * @throws MemGenError `json-file` if it is too large, no JSON, no object, nested too deeply, or gives a key twice; or a file error.
 */
export async function readJsonFile(path: string, what = 'a JSON file'): Promise<Record<string, unknown>> {
  const file = await RangedFile.open(path);
  let bytes: Uint8Array;
  try {
    if (file.size > largestJson) throw jsonError(path, what, `${file.size} bytes, more than ${largestJson}`);
    bytes = await file.read(0, file.size);
  } finally {
    await file.close();
  }
  return parseJsonObject(bytes, path, what);
}

/** As {@link readJsonFile}, for bytes that are already here. A byte order mark is skipped. */
export function parseJsonObject(bytes: Uint8Array, path: string, what: string): Record<string, unknown> {
  let parsed: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw jsonError(path, what, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (isTooDeep(text)) throw jsonError(path, what, `more than ${deepestJson} levels of nesting`);
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw jsonError(path, what, `the key ${describeJson(duplicate)} twice in one object`);
  if (isRecord(parsed)) return parsed;
  throw jsonError(path, what, Array.isArray(parsed) ? 'a list' : typeof parsed);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonError(path: string, what: string, got: string, cause?: unknown): MemGenError {
  return new MemGenError({
    code: 'json-file',
    where: path,
    message: `this is not ${what}`,
    got,
    expected: 'one JSON object in UTF-8',
    hint: 'the file is damaged or not what its name says; get it again',
    cause,
  });
}
