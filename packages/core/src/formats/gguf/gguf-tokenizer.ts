// The tokenizer inside of a GGUF file, as tokenizer.json and tokenizer_config.json.
import { MemGenError } from '@memgen/common';
import type { GgufFile } from './gguf-file.js';
import type { GgufMetadata } from './metadata.js';
import { preTokenizers, type PreTokenizerRecipe } from './pre-tokenizers.js';

/** Objects of the same form as the parsed files of a Hugging Face folder. */
export interface GgufTokenizer {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
}

// Values of tokenizer.ggml.token_type.
const controlToken = 3;
const userDefinedToken = 4;
const unusedToken = 5;

/**
 * @throws MemGenError `gguf-tokenizer` where the file has no tokenizer, one of another kind than byte-level BPE, or an
 * unknown way of splitting words.
 */
export function ggufToTokenizer({ metadata, path }: Pick<GgufFile, 'metadata' | 'path'>): GgufTokenizer {
  const recipe = findRecipe(metadata, path);
  const { vocab, added, tokens } = readTokens(metadata, path);
  const special = (name: string): string | null => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' ? (tokens[id] ?? null) : null;
  };
  const beginning = flag(metadata, 'add_bos_token', recipe.addsBeginning) ? special('bos') : null;
  const end = flag(metadata, 'add_eos_token', false) ? special('eos') : null;
  const tokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: recipe.normalizer,
    pre_tokenizer: recipe.preTokenizer,
    post_processor: toPostProcessor(beginning, end, vocab),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: recipe.ignoreMerges,
      vocab: Object.fromEntries(vocab),
      merges: readMerges(metadata, path),
    },
  };
  const template = metadata.get('tokenizer.chat_template');
  const longest = metadata.get(`${String(metadata.get('general.architecture'))}.context_length`);
  const tokenizerConfig = {
    add_prefix_space: false,
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
    bos_token: special('bos'),
    eos_token: special('eos'),
    pad_token: special('padding'),
    unk_token: special('unknown'),
    clean_up_tokenization_spaces: false,
    ...(typeof longest === 'number' ? { model_max_length: longest } : {}),
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...(typeof template === 'string' ? { chat_template: template } : {}),
  };
  return { tokenizerJson, tokenizerConfig };
}

function findRecipe(metadata: GgufMetadata, path: string): PreTokenizerRecipe {
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== 'gpt2') {
    throw tokenizerError(
      path,
      'its tokenizer is of a kind that cannot be read',
      String(model),
      'gpt2 (byte-level BPE)',
    );
  }
  const name = metadata.get('tokenizer.ggml.pre');
  const recipe = typeof name === 'string' ? preTokenizers.get(name) : undefined;
  if (recipe !== undefined) return recipe;
  const known = [...preTokenizers.keys()].join(', ');
  throw tokenizerError(
    path,
    'it splits text into words in an unknown way',
    `tokenizer.ggml.pre = ${String(name)}`,
    known,
  );
}

interface AddedToken {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

function readTokens(metadata: GgufMetadata, path: string) {
  const tokens = texts(metadata, 'tokens', path);
  const types = metadata.get('tokenizer.ggml.token_type');
  if (!Array.isArray(types) || types.length !== tokens.length) {
    const got = Array.isArray(types) ? `${types.length} types` : 'none';
    throw tokenizerError(path, 'tokenizer.ggml.token_type does not fit its tokens', got, `${tokens.length} types`);
  }
  const vocab = new Map<string, number>();
  const added: AddedToken[] = [];
  for (const [id, content] of tokens.entries()) {
    // Places in the embedding that no text leads to.
    if (types[id] === unusedToken) continue;
    if (vocab.has(content)) throw tokenizerError(path, 'a token is given twice', JSON.stringify(content));
    vocab.set(content, id);
    const isSpecial = types[id] === controlToken;
    if (!isSpecial && types[id] !== userDefinedToken) continue;
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    added.push({ id, content, ...plain, special: isSpecial });
  }
  return { tokens, vocab, added };
}

function readMerges(metadata: GgufMetadata, path: string): [string, string][] {
  return texts(metadata, 'merges', path).map((merge) => {
    const [left, right, ...more] = merge.split(' ');
    if (left && right && more.length === 0) return [left, right];
    throw tokenizerError(path, 'a merge is no pair of tokens', JSON.stringify(merge));
  });
}

function texts(metadata: GgufMetadata, name: string, path: string): string[] {
  const list = metadata.get(`tokenizer.ggml.${name}`);
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw tokenizerError(path, `tokenizer.ggml.${name} is ${list === undefined ? 'missing' : 'no list of texts'}`);
}

function flag(metadata: GgufMetadata, name: string, otherwise: boolean): boolean {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  return typeof value === 'boolean' ? value : otherwise;
}

/** A template that puts the beginning and end tokens around one text and around each of a pair. */
function toPostProcessor(beginning: string | null, end: string | null, vocab: ReadonlyMap<string, number>) {
  if (beginning === null && end === null) return null;
  const around = (id: string, type: number): object[] => [
    ...(beginning === null ? [] : [{ SpecialToken: { id: beginning, type_id: type } }]),
    { Sequence: { id, type_id: type } },
    ...(end === null ? [] : [{ SpecialToken: { id: end, type_id: type } }]),
  ];
  const used = [...new Set([beginning, end])].filter((token) => token !== null);
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(
      used.map((token) => [token, { id: token, ids: [vocab.get(token)], tokens: [token] }]),
    ),
  };
}

function tokenizerError(path: string, message: string, got?: string, expected?: string): MemGenError {
  return new MemGenError({
    code: 'gguf-tokenizer',
    where: path,
    message,
    got,
    expected,
    hint: "take the tokenizer.json and tokenizer_config.json of the model's Hugging Face folder instead",
  });
}
