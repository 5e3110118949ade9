// What a tokenizer is, told from its files without needing to be able to run it.
import type { GgufMetadata } from '../formats/index.js';
import type { TokenizerFiles } from '../text/tokenizer-files.js';

export interface TokenizerFacts {
  /** E.g. `byte-level BPE`. */
  kind: string;
  /** Entries of the vocabulary, added tokens among them. */
  tokens: number;
  /** Whether the model brings a chat template. */
  chatTemplate: boolean;
}

/** From the files of a Hugging Face folder. */
export function describeTokenizer({ tokenizerJson, tokenizerConfig, chatTemplate }: TokenizerFiles): TokenizerFacts {
  const json = record(tokenizerJson);
  const model = record(json.model);
  const vocabulary = new Set(
    Array.isArray(model.vocab)
      ? model.vocab.map((entry: unknown) => (Array.isArray(entry) ? String(entry[0]) : ''))
      : Object.keys(record(model.vocab)),
  );
  const added = Array.isArray(json.added_tokens) ? (json.added_tokens as unknown[]) : [];
  for (const token of added) vocabulary.add(String(record(token).content));
  const type = typeof model.type === 'string' ? model.type : 'unknown kind';
  return {
    kind: hasByteLevel(json.decoder) || hasByteLevel(json.pre_tokenizer) ? `byte-level ${type}` : type,
    tokens: vocabulary.size,
    chatTemplate: chatTemplate !== undefined || record(tokenizerConfig).chat_template != null,
  };
}

const ggufKinds = new Map([
  ['gpt2', 'byte-level BPE'],
  ['llama', 'SentencePiece BPE'],
  ['bert', 'WordPiece'],
  ['t5', 'Unigram'],
]);

/** From the metadata of a GGUF file; undefined if it has no tokenizer. */
export function describeGgufTokenizer(metadata: GgufMetadata): TokenizerFacts | undefined {
  const model = metadata.get('tokenizer.ggml.model');
  const tokens = metadata.get('tokenizer.ggml.tokens');
  if (typeof model !== 'string') return undefined;
  return {
    kind: ggufKinds.get(model) ?? model,
    tokens: Array.isArray(tokens) ? tokens.length : 0,
    chatTemplate: typeof metadata.get('tokenizer.chat_template') === 'string',
  };
}

function hasByteLevel(component: unknown): boolean {
  const { type, pretokenizers, decoders } = record(component);
  const parts = [pretokenizers, decoders].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  return type === 'ByteLevel' || parts.some((part) => record(part).type === 'ByteLevel');
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
