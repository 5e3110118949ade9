// The parts of a tokenizer.json that depend on the kind of tokenizer that a GGUF file holds.
import type { GgufVocabulary } from './gguf-vocabulary.js';

export interface TokenizerParts {
  vocabulary: GgufVocabulary;
  /** Ids of special tokens where the file names none. */
  usualIds: Readonly<Record<string, number>>;
  /** Whether the beginning token is added where the file does not say. */
  addsBeginning: boolean;
  normalizer: object | null;
  preTokenizer: object | null;
  decoder: object;
  model: object;
  /** Of the tokenizer_config.json. */
  config: Record<string, unknown>;
}
