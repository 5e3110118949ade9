// What generation makes: rows as a whole, and tokens as they come.
import type { RowTrace, TracedPoint } from './trace.js';
import type { TokenProbability } from './log-probabilities.js';

/** What happened before a generated token: no point, a point that was refused, latents woven in. */
export type Augmentation = -100 | 0 | 1;

/** Why a row ended: an end token, a stop string, the most new tokens or the end of the context, or an abort. */
export type FinishReason = 'end' | 'stop' | 'length' | 'aborted';

export interface GeneratedRow {
  /** New tokens, with the end token if there was one; all of those that a stop string lies in. */
  ids: number[];
  /** The new text: without special tokens and the end token, and up to a stop string. */
  text: string;
  /** One entry per token of `ids`. */
  augmentations: Augmentation[];
  finished: FinishReason;
  /**
   * By option: log-probability of each token of `ids` under the model's own distribution, softmax(logits), before
   * repetition penalty, temperature and cuts.
   */
  logProbabilities?: number[];
  /** By option: for each token of `ids` the most likely tokens at its place under that distribution, likeliest first. */
  topLogProbabilities?: TokenProbability[][];
  /** By option: the points of the row and the time they took. */
  trace?: RowTrace;
}

/** A token as it comes. */
export interface GeneratedToken {
  /** Index of the row in the results. */
  row: number;
  id: number;
  /**
   * New text that has become final with this token. Held back are unfinished characters and what may be the beginning of
   * a stop string; joined, the texts of a row that was not aborted are its {@link GeneratedRow.text}.
   */
  text: string;
  augmentation: Augmentation;
  /** By option, as in {@link GeneratedRow}. */
  logProbability?: number;
  /** By option, as in {@link GeneratedRow}. */
  topLogProbabilities?: TokenProbability[];
  /** By option `trace`: the point before this token, if there was one. */
  point?: TracedPoint;
  /** Given with the last token of a row. When it is aborted there is none: the tokens just end. */
  finished?: FinishReason;
}
