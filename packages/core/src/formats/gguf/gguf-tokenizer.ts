// The tokenizer inside of a GGUF file, as tokenizer.json and tokenizer_config.json.
import type { GgufFile } from './gguf-file.js';
import { readFlag, readMerges, readVocabulary, tokenizerError } from './gguf-vocabulary.js';
import type { GgufMetadata } from './metadata.js';
import { preTokenizers, type PreTokenizerRecipe } from './pre-tokenizers.js';
import { sentencePieceParts } from './sentence-piece.js';
import type { TokenizerParts } from './tokenizer-parts.js';

/** Objects of the same form as the parsed files of a Hugging Face folder. */
export interface GgufTokenizer {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
}

/**
 * @throws MemGenError `gguf-tokenizer` where the file has no tokenizer, one of another kind than byte-level BPE and
 * SentencePiece's BPE, or an unknown way of splitting words.
 */
export function ggufToTokenizer({ metadata, path }: Pick<GgufFile, 'metadata' | 'path'>): GgufTokenizer {
  const parts = partsOf(metadata, path);
  const { tokens, vocab, added } = parts.vocabulary;
  const special = (name: string): string | null => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    if (typeof id === 'number') return tokens[id] ?? null;
    return added.find((token) => token.special && token.id === parts.usualIds[name])?.content ?? null;
  };
  const beginning = readFlag(metadata, 'add_bos_token', parts.addsBeginning) ? special('bos') : null;
  const end = readFlag(metadata, 'add_eos_token', false) ? special('eos') : null;
  const tokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    post_processor: toPostProcessor(beginning, end, vocab),
    decoder: parts.decoder,
    model: parts.model,
  };
  const template = metadata.get('tokenizer.chat_template');
  const longest = metadata.get(`${String(metadata.get('general.architecture'))}.context_length`);
  const tokenizerConfig = {
    ...parts.config,
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

function partsOf(metadata: GgufMetadata, path: string): TokenizerParts {
  const model = metadata.get('tokenizer.ggml.model');
  if (model === 'llama') return sentencePieceParts(metadata, path);
  if (model === 'gpt2') return byteLevelParts(metadata, path);
  const expected = 'gpt2 (byte-level BPE) or llama (BPE of SentencePiece)';
  throw tokenizerError(path, 'its tokenizer is of a kind that cannot be read', String(model), expected);
}

function byteLevelParts(metadata: GgufMetadata, path: string): TokenizerParts {
  const recipe = findRecipe(metadata, path);
  const vocabulary = readVocabulary(metadata, path);
  return {
    vocabulary,
    usualIds: {},
    addsBeginning: recipe.addsBeginning,
    normalizer: recipe.normalizer,
    preTokenizer: recipe.preTokenizer,
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
      vocab: Object.fromEntries(vocabulary.vocab),
      merges: readMerges(metadata, path),
    },
    config: { add_prefix_space: false },
  };
}

function findRecipe(metadata: GgufMetadata, path: string): PreTokenizerRecipe {
  const name = metadata.get('tokenizer.ggml.pre');
  const recipe = typeof name === 'string' ? preTokenizers.get(name) : undefined;
  if (recipe !== undefined) return recipe;
  const known = [...preTokenizers.keys()].join(', ');
  const got = `tokenizer.ggml.pre = ${String(name)}`;
  throw tokenizerError(path, 'it splits text into words in an unknown way', got, known);
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
