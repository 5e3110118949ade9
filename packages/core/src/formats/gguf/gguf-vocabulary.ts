// The vocabulary that a GGUF file holds: tokens, what kind each is, and which of them are special.
import { MemGenError } from '@memgen/common';
import type { GgufMetadata } from './metadata.js';

/** Values of `tokenizer.ggml.token_type`, which are those of SentencePiece. */
export const tokenType = { unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** As `added_tokens` of a tokenizer.json holds them. */
export interface AddedToken {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

export interface GgufVocabulary {
  /** By id. */
  tokens: readonly string[];
  types: readonly unknown[];
  /** Ids of the tokens that a text can have. */
  vocab: ReadonlyMap<string, number>;
  /** Tokens that are found in a text before anything else. */
  added: readonly AddedToken[];
}

/**
 * @param specialTypes - of tokens that are no text.
 * @throws MemGenError `gguf-tokenizer`.
 */
export function readVocabulary(
  metadata: GgufMetadata,
  path: string,
  specialTypes: readonly number[] = [tokenType.control],
): GgufVocabulary {
  const tokens = readTexts(metadata, 'tokens', path);
  const types = metadata.get('tokenizer.ggml.token_type');
  if (!Array.isArray(types) || types.length !== tokens.length) {
    const got = Array.isArray(types) ? `${types.length} types` : 'none';
    throw tokenizerError(path, 'tokenizer.ggml.token_type does not fit its tokens', got, `${tokens.length} types`);
  }
  const vocab = new Map<string, number>();
  const added: AddedToken[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = Number(types[id]);
    // Places in the embedding that no text leads to.
    if (type === tokenType.unused) continue;
    if (vocab.has(content)) throw tokenizerError(path, 'a token is given twice', JSON.stringify(content));
    vocab.set(content, id);
    const special = specialTypes.includes(type);
    if (!special && type !== tokenType.userDefined) continue;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  }
  return { tokens, types, vocab, added };
}

/** The merges of a byte pair encoding, the first one first. */
export function readMerges(metadata: GgufMetadata, path: string): [string, string][] {
  return readTexts(metadata, 'merges', path).map((merge) => {
    const [left, right, ...more] = merge.split(' ');
    if (left && right && more.length === 0) return [left, right];
    throw tokenizerError(path, 'a merge is no pair of tokens', JSON.stringify(merge));
  });
}

export function readFlag(metadata: GgufMetadata, name: string, otherwise: boolean): boolean {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  return typeof value === 'boolean' ? value : otherwise;
}

export function tokenizerError(path: string, message: string, got?: string, expected?: string): MemGenError {
  return new MemGenError({
    code: 'gguf-tokenizer',
    where: path,
    message,
    got,
    expected,
    hint: "take the tokenizer.json and tokenizer_config.json of the model's Hugging Face folder instead",
  });
}

function readTexts(metadata: GgufMetadata, name: string, path: string): string[] {
  const list = metadata.get(`tokenizer.ggml.${name}`);
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw tokenizerError(path, `tokenizer.ggml.${name} is ${list === undefined ? 'missing' : 'no list of texts'}`);
}
