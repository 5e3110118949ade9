// What the names of pre-tokenizers in GGUF files mean in the terms of tokenizer.json.
import { capitalPattern, oneDigitPattern, threeDigitPattern } from '../../text/known-patterns.js';

/** The part of a tokenizer.json that depends on the pre-tokenizer. */
export interface PreTokenizerRecipe {
  normalizer: object | null;
  preTokenizer: object;
  /** Whole words that are in the vocabulary are taken as they are, without merging. */
  ignoreMerges: boolean;
  /** Whether the beginning token is added where the file does not say. */
  addsBeginning: boolean;
}

function byteLevel(useRegex: boolean): object {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

function sequence(...pretokenizers: object[]): object {
  return { type: 'Sequence', pretokenizers };
}

function split(pattern: string): object {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

const gpt2: PreTokenizerRecipe = {
  normalizer: null,
  preTokenizer: byteLevel(true),
  ignoreMerges: false,
  addsBeginning: false,
};

const smollm: PreTokenizerRecipe = {
  ...gpt2,
  preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
};

const qwen2: PreTokenizerRecipe = {
  normalizer: { type: 'NFC' },
  preTokenizer: sequence(split(oneDigitPattern), byteLevel(false)),
  ignoreMerges: false,
  addsBeginning: false,
};

const llama3: PreTokenizerRecipe = {
  normalizer: null,
  preTokenizer: sequence(split(threeDigitPattern), byteLevel(false)),
  ignoreMerges: true,
  addsBeginning: true,
};

/** Tekken of Mistral, which splits at capitals as GPT-4o does. */
const tekken: PreTokenizerRecipe = {
  normalizer: null,
  preTokenizer: sequence(split(capitalPattern), byteLevel(false)),
  ignoreMerges: true,
  addsBeginning: true,
};

/** By the value of `tokenizer.ggml.pre`. */
export const preTokenizers: ReadonlyMap<string, PreTokenizerRecipe> = new Map([
  ['gpt-2', gpt2],
  ['smollm', smollm],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['smaug-bpe', { ...llama3, ignoreMerges: false, addsBeginning: false }],
  ['tekken', tekken],
]);
