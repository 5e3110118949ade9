// What the names of pre-tokenizers in GGUF files mean in the terms of tokenizer.json.

/** The part of a tokenizer.json that depends on the pre-tokenizer. */
export interface PreTokenizerRecipe {
  normalizer: object | null;
  preTokenizer: object;
  /** Whole words that are in the vocabulary are taken as they are, without merging. */
  ignoreMerges: boolean;
  /** Whether the beginning token is added where the file does not say. */
  addsBeginning: boolean;
}

/** Words, numbers of at most `digits` digits, punctuation and white space; the pattern of GPT-4's kind. */
function wordPattern(digits: string): string {
  const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  const words = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
  const punctuation = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
  const space = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
  return [contractions, words, digits, punctuation, space].join('|');
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
  preTokenizer: sequence(split(wordPattern('\\p{N}')), byteLevel(false)),
  ignoreMerges: false,
  addsBeginning: false,
};

const llama3: PreTokenizerRecipe = {
  normalizer: null,
  preTokenizer: sequence(split(wordPattern('\\p{N}{1,3}')), byteLevel(false)),
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
]);
