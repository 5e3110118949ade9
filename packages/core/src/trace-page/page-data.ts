// What a trace page shows.
import type { PartTimes, TracedPoint } from '../generation/index.js';

/** An answer as it was generated with memory. */
export interface TracedAnswer {
  /** The text of each new token, in order. */
  pieces: readonly string[];
  /** Each lies before the token of its position. */
  points: readonly TracedPoint[];
  /** Of the whole answer. */
  milliseconds: PartTimes;
}

/** The answer of the reasoner alone. */
export interface PlainAnswer {
  pieces: readonly string[];
  milliseconds: PartTimes;
}

export interface TracePageData {
  /** As the person wrote it. */
  prompt: string;
  woven: TracedAnswer;
  plain: PlainAnswer;
  /** Euclidean length of the reasoner's embeddings, on average: what lengths of latents compare to. */
  embeddingNorm: number;
  /** A sentence about the weaver that readers must know, e.g. that it was never trained. */
  remark?: string | undefined;
  /** Names and values about models and settings, shown at the end. */
  facts: readonly { label: string; value: string }[];
}
