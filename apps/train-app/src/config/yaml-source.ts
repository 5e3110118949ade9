// A YAML file with the place of every key, so that a complaint can name file, line and column.
import { readFile, stat } from 'node:fs/promises';
import { MemGenError, toFileError } from '@memgen/common';
import { LineCounter, isMap, isNode, isPair, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import type { KeyPath } from './nested-data.js';

/** An experiment is a page of text; a larger file is some other file. */
const maxBytes = 1_000_000;

export interface YamlSource {
  /** Plain data; an empty file gives an empty object. */
  data: Record<string, unknown>;
  /** `file:line:column` of a key, or of the nearest group around it that is in the file. */
  locate: (path: KeyPath) => string;
}

/** Reads and parses a file. @throws MemGenError with code `config-yaml`, or of the operating system. */
export async function readYaml(path: string): Promise<YamlSource> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw yamlError(path, 'the file is too large for a configuration', `${size} bytes`, `at most ${maxBytes} bytes`);
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw toFileError(error, 'read the configuration', path);
  }
  return parseYaml(text, path);
}

/** @param path - only named in errors. */
export function parseYaml(text: string, path: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw yamlError(placeOf(problem.pos[0]), 'this is not YAML', problem.message);
  const data: unknown = toPlainData(document, path);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw yamlError(path, 'a configuration is a set of keys', JSON.stringify(data), 'lines such as "name: my-run"');
  }
  return {
    data: data as Record<string, unknown>,
    locate: (keys) => placeOf(offsetOf(document, keys)),
  };
}

function toPlainData(document: Document, path: string): unknown {
  try {
    return (document.toJS() as unknown) ?? {};
  } catch (error) {
    // Aliases that multiply beyond the library's limit.
    throw yamlError(path, 'the aliases of the file cannot be followed', error instanceof Error ? error.message : '');
  }
}

/** Where the key at the end of `path` stands, as far as the document goes along. */
function offsetOf(document: Document, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const key of path) {
    if (isSeq(node) && typeof key === 'number') {
      node = node.items[key];
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset;
      continue;
    }
    const pair = isMap(node)
      ? node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      : undefined;
    if (pair === undefined) return offset;
    offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
    node = pair.value;
  }
  return offset;
}

function yamlError(where: string, message: string, got: string, expected?: string): MemGenError {
  return new MemGenError({ code: 'config-yaml', where, message, got, expected });
}
