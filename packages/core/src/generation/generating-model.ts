// What generation needs of a reasoner.
import type { Decoder } from '../model/decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** What generation needs of a reasoner. */
export interface GeneratingModel {
  decoder: Decoder;
  tokenizer: Tokenizer;
}
