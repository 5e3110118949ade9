// A SentencePiece vocabulary (`tokenizer.ggml.model = "llama"`) in the terms of tokenizer.json: a byte pair encoding of whole texts.
import { readFlag, readMerges, readVocabulary, tokenizerError, tokenType } from './gguf-vocabulary.js';
import type { GgufMetadata } from './metadata.js';
import { mergesOfPieces, type ScoredPiece } from './piece-merges.js';
import type { TokenizerParts } from './tokenizer-parts.js';

/** What stands for a space: U+2581, the lower one eighth block. */
const spaceMark = '\u2581';

/** Ids where a file names none: those that SentencePiece gives by itself. */
const usualIds = { unknown: 0, bos: 1, eos: 2 };

/**
 * SentencePiece joins the pair whose piece has the highest score, wherever it stands in the text; as merges of a byte pair
 * encoding, in the order that Hugging Face's converter finds. Text that no piece covers becomes bytes.
 * @throws MemGenError `gguf-tokenizer`.
 */
export function sentencePieceParts(metadata: GgufMetadata, path: string): TokenizerParts {
  const vocabulary = readVocabulary(metadata, path, [tokenType.unknown, tokenType.control]);
  const { vocab, types, tokens } = vocabulary;
  const hasMerges = metadata.get('tokenizer.ggml.merges') !== undefined;
  const merges = hasMerges
    ? readMerges(metadata, path)
    : mergesOfPieces(scoredPieces(metadata, path, vocabulary.types, tokens), path);
  const addsSpace = readFlag(metadata, 'add_space_prefix', true);
  const unknown = metadata.get('tokenizer.ggml.unknown_token_id') ?? usualIds.unknown;
  return {
    vocabulary,
    usualIds,
    addsBeginning: true,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(addsSpace ? [{ type: 'Prepend', prepend: spaceMark }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: spaceMark },
      ],
    },
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: spaceMark }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(addsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: typeof unknown === 'number' && types[unknown] === tokenType.unknown ? tokens[unknown]! : null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: types.includes(tokenType.byte),
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
    config: {},
  };
}

function scoredPieces(
  metadata: GgufMetadata,
  path: string,
  types: readonly unknown[],
  tokens: readonly string[],
): ScoredPiece[] {
  const scores = metadata.get('tokenizer.ggml.scores');
  const isComplete = Array.isArray(scores) && scores.length === tokens.length;
  if (!isComplete || !scores.every((score) => typeof score === 'number' && !Number.isNaN(score))) {
    const got = Array.isArray(scores) ? `${scores.length} values` : 'none';
    throw tokenizerError(path, 'tokenizer.ggml.scores does not fit its tokens', got, `${tokens.length} numbers`);
  }
  return tokens.flatMap((piece, id) =>
    types[id] === tokenType.unused ? [] : [{ piece, id, score: scores[id] as number }],
  );
}
