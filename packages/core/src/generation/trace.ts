// What a trace of a generation holds.
import type { LatentKind } from '../memgen/weaver.js';

/** A token that a latent resembles. */
export interface NearToken {
  id: number;
  /** As the tokenizer decodes it alone. */
  text: string;
  /** Cosine of the angle between the latent and the token's embedding, -1 to 1. */
  similarity: number;
}

/** A latent token as it was woven into the reasoner's input. */
export interface TracedLatent {
  /** Euclidean length of the vector. */
  norm: number;
  /** The five tokens whose embeddings point most nearly the same way, nearest first. */
  nearest: NearToken[];
}

/** Milliseconds by what was at work. Those of a point and a step are for the whole batch, which is computed at once. */
export interface PartTimes {
  trigger: number;
  weaver: number;
  /** With the latents and tokens that it read, without the sampling. */
  reasoner: number;
}

/** A place where latents could be woven in. */
export interface TracedPoint {
  /** Index of the row in the results. */
  row: number;
  /** Index in the row's new tokens: the point lies before this token, 0 is behind the prompt. */
  position: number;
  kind: LatentKind;
  /** The end of the text before the point, at most 200 characters of it. */
  text: string;
  /** The trigger's probability of weaving; absent without a trigger. */
  weaveProbability?: number;
  /** Whether latents were woven in. */
  woven: boolean;
  /** In their order; empty where nothing was woven in. */
  latents: TracedLatent[];
  /** Of the step of this point; absent without a clock. */
  milliseconds?: PartTimes;
}

/** What happened in a row. */
export interface RowTrace {
  /** In their order. */
  points: TracedPoint[];
  /** Over all steps in which the row took part, with and without points; absent without a clock. */
  milliseconds?: PartTimes;
}
