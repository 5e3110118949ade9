// Reads the files a Hugging Face tokenizer folder consists of; nothing is trusted, nothing is run.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MemGenError, toFileError } from '@memgen/common';
import { deepestJson, isTooDeep } from '../formats/json-depth.js';

/** The largest published tokenizer.json files have about 35 MB. */
const maximumBytes = 256 * 2 ** 20;

/** Parsed files; `undefined` where the folder has no such file. */
export interface TokenizerFiles {
  tokenizerJson: unknown;
  tokenizerConfig: unknown;
  specialTokensMap: unknown;
  generationConfig: unknown;
  /** Content of chat_template.jinja. */
  chatTemplate: string | undefined;
}

/**
 * Reads `tokenizer.json` (or `tokenizer.json.gz`) and, where there are such files, `tokenizer_config.json`,
 * `special_tokens_map.json`, `generation_config.json` and `chat_template.jinja` of a folder.
 *
 * @throws MemGenError `tokenizer-missing`, `tokenizer-json`, `tokenizer-size`, or an error of the file system.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const [tokenizerJson, tokenizerConfig, specialTokensMap, generationConfig, chatTemplate] = await Promise.all([
    readTokenizerJson(folder),
    readJson(join(folder, 'tokenizer_config.json')),
    readJson(join(folder, 'special_tokens_map.json')),
    readJson(join(folder, 'generation_config.json')),
    readText(join(folder, 'chat_template.jinja')),
  ]);
  return { tokenizerJson, tokenizerConfig, specialTokensMap, generationConfig, chatTemplate };
}

async function readTokenizerJson(folder: string): Promise<unknown> {
  const plain = await readJson(join(folder, 'tokenizer.json'));
  if (plain !== undefined) return plain;
  const compressedPath = join(folder, 'tokenizer.json.gz');
  const compressed = await readBytes(compressedPath);
  if (compressed !== undefined)
    return parseJson((await decompress(compressed, compressedPath)).toString(), compressedPath);
  throw new MemGenError({
    code: 'tokenizer-missing',
    where: folder,
    message: 'the folder has no tokenizer',
    expected: 'tokenizer.json (the format of the Hugging Face tokenizers library)',
    hint: 'use the folder of a model in Hugging Face layout; vocab.json and merges.txt alone, or tokenizer.model, are not read',
  });
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  return text === undefined ? undefined : parseJson(text, path);
}

async function readText(path: string): Promise<string | undefined> {
  return (await readBytes(path))?.toString();
}

/** @returns undefined if there is no such file. */
async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maximumBytes) throw tooLarge(path, `${size} bytes`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw toFileError(error, 'read a file of the tokenizer', path);
  }
}

async function decompress(bytes: Buffer, path: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maximumBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(path, 'more than that when decompressed');
    throw new MemGenError({
      code: 'tokenizer-json',
      where: path,
      message: 'not a complete gzip file',
      hint: 'download it again',
      cause: error,
    });
  }
}

function tooLarge(path: string, got: string): MemGenError {
  return new MemGenError({
    code: 'tokenizer-size',
    where: path,
    message: 'too large for a file of a tokenizer',
    got,
    expected: `at most ${maximumBytes} bytes`,
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isTooDeep(text)) throw new Error(`more than ${deepestJson} levels of nesting`);
    return parsed;
  } catch (error) {
    throw new MemGenError({
      code: 'tokenizer-json',
      where: path,
      message: 'not JSON that can be read',
      got: error instanceof Error ? error.message : String(error),
      hint: 'the file may be cut short, or a Git LFS pointer: download it again',
      cause: error,
    });
  }
}
