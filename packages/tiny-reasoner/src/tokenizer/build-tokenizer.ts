// The tokenizer of the tiny world: byte pairs learned from its own rows, with its words and numbers as single tokens.
import { createPretrainingRows, mainMix } from '../world/pretraining-rows.js';
import { dayNames, itemNames, personNames } from '../world/words.js';
import { preTokens } from './pre-tokens.js';
import { specialTokens, tokenizerConfig, tokenizerJson } from './tokenizer-files.js';
import { trainBytePairs } from './train-bpe.js';

/** Pieces that must become one token each, whatever the sample of rows says. */
function requiredPieces(): string[] {
  const numbers = Array.from({ length: 100 }, (_, n) => String(n));
  const minutes = ['00', '05'];
  const words = [...itemNames, ...personNames, ...dayNames].map((word) => ` ${word}`);
  return [
    ...numbers,
    ...numbers.map((n) => ` ${n}`),
    ...minutes,
    ...words,
    ...personNames,
    'user',
    'assistant',
    'system',
  ];
}

/** Ids: the byte pairs first, then the special tokens. Deterministic. */
export function buildTokenizer(options: { vocabularySize?: number; sampleRows?: number } = {}) {
  const { vocabularySize = 768, sampleRows = 4000 } = options;
  const counts = new Map<string, number>();
  const rows = createPretrainingRows({ seed: 0, mix: { ...mainMix, noteShare: 0.3, bareNoteShare: 0 } });
  for (let i = 0; i < sampleRows; i++) {
    for (const { content } of rows.next().value.messages) {
      for (const piece of preTokens(content)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  // Larger than any count in the sample: required pieces are completed before anything else is merged.
  for (const piece of requiredPieces()) counts.set(piece, (counts.get(piece) ?? 0) + 1_000_000);
  const bytePairs = trainBytePairs(counts, vocabularySize - specialTokens.length);
  return {
    tokenizer: tokenizerJson(bytePairs),
    config: tokenizerConfig(),
    size: bytePairs.tokens.length + specialTokens.length,
  };
}
