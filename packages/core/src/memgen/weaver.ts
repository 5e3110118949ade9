// The weaver as the rest of the project sees it: something that reads vectors and answers with latent tokens.
import type * as tf from '@tensorflow/tfjs';
import type { MaskRow } from '../model/attention-columns.js';
import type { Execution } from '../training/execution.js';

/** The prompt is recalled to once, at its end; the completion at sentence ends. */
export type LatentKind = 'prompt' | 'inference';

export interface WeaverSessionOptions {
  /** Rows of the batch. */
  batch: number;
  /** How pieces are run. @default eager */
  execution?: Execution;
  /** `"parts"` when gradients flow (training), `"merged"` for generation. @default "merged" */
  ownership?: 'merged' | 'parts';
  /** Turns on dropout, with masks that depend on this number alone. */
  dropoutSeed?: number;
}

/** One pass over a batch. Each column is read once, however often the session weaves. */
export interface WeaverSession {
  /**
   * Reads new columns and returns latents in the reasoner's space.
   * @param embeddings - the reasoner's input vectors since the last call, `[rows * columns, hidden]`.
   * @param mask - one row of 0 and 1 per batch row; fewer rows than before mean that the last ones take no further part.
   * @returns `[rows * latentCounts[kind], hidden]`
   */
  weave(kind: LatentKind, embeddings: tf.Tensor2D, mask: readonly MaskRow[]): tf.Tensor2D;
  /** Goes on with the given rows only (generation). */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/** A weaver: any module that turns what the reasoner has read into K latent tokens. */
export interface Weaver {
  /** Tokens that one call weaves in, by kind. */
  readonly latentCounts: Readonly<Record<LatentKind, number>>;
  /** Everything that training changes, by a stable name. */
  parameters(): Map<string, tf.Variable>;
  begin(options: WeaverSessionOptions): WeaverSession;
  /** Writes the weaver into a folder (which exists), in files of its own format. */
  save(folder: string): Promise<void>;
  dispose(): void;
}
