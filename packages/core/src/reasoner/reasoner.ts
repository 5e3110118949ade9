// A reasoner: a frozen decoder with its tokenizer, and where both came from.
import type { WeightFormat } from '../formats/index.js';
import type { Decoder } from '../model/decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** What a run records so that the very same model can be found again. */
export interface ReasonerOrigin {
  /** Folder, file or hub id as it was asked for. */
  source: string;
  /** Commit of the hub, where known. */
  revision?: string | undefined;
  format: WeightFormat | 'gguf';
  /** SHA-256 of config.json (or of the configuration read out of a GGUF file), hexadecimal. */
  configHash: string;
}

/** A language model that is never changed. */
export interface Reasoner {
  decoder: Decoder;
  tokenizer: Tokenizer;
  origin: ReasonerOrigin;
  /** Number of weights. */
  parameterCount: number;
}
