// The weaver as the rest of the project sees it: something that reads vectors and answers with latent tokens.
import { MemGenError, type Random } from '@memgen/common';
import type * as tf from '@tensorflow/tfjs';
import type { OpenReader, RowVectors } from '../inference/index.js';
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
  /** Turns on dropout, with masks that depend on this number alone: a piece that is run again drops the same units. */
  dropoutSeed?: number;
}

/**
 * One pass over a batch. Each column is read once, however often the session weaves; what it wove leaves no trace in it
 * (the caller hands latents back as columns of the next call).
 *
 * Calls of an eager session come inside a `tf.tidy` of the caller, so what the session keeps for later calls it keeps from
 * the tidy. With a tape, the tape owns what pieces return, and the session is disposed before the backward pass.
 */
export interface WeaverSession {
  /**
   * Reads new columns and returns latents in the reasoner's space.
   * @param embeddings - the reasoner's input vectors since the last call, `[rows * columns, hidden]`; any values where the
   *   mask is 0. Gradients flow back into them.
   * @param mask - one row of 0 and 1 per batch row, padding at any place; a row may have no new column at all. With the
   *   ownership `"parts"`, fewer rows than before mean that the last ones take no further part.
   * @returns `[rows * latentCounts[kind], hidden]`; those of a row depend on the columns of that row alone.
   * @throws MemGenError for columns that do not fit the session.
   */
  weave(kind: LatentKind, embeddings: tf.Tensor2D, mask: readonly MaskRow[]): tf.Tensor2D;
  /**
   * Goes on with the given rows only (generation), in the given order; a row may come several times.
   * @throws MemGenError for a row that is not there.
   */
  select(rows: readonly number[]): void;
  dispose(): void;
}

export interface InferenceOptions {
  /** Rows of the batch. */
  rows: number;
  /** Opens a reader of a model, which keeps what rows have read; whoever opens it disposes it. */
  open: OpenReader;
}

/** One pass over a batch while text is generated: without gradients, each row at its own pace. */
export interface WeaverInference {
  /**
   * Reads new columns of the rows that are woven now, each column once.
   * @param vectors - by row, the reasoner's input vectors since it was last woven, `[columns, hidden]`; undefined for a row
   *   that is not woven now, which reads nothing.
   * @returns by row, latents `[latentCounts[kind], hidden]`; they depend on the columns of that row alone.
   */
  weave(kind: LatentKind, vectors: RowVectors): Promise<(Float32Array | undefined)[]>;
  /** Goes on with the given rows only, in the given order; a row may come several times. */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/** A weaver: any module that turns what the reasoner has read into K latent tokens. `@memgen/weaver/test` checks one. */
export interface Weaver {
  /** Tokens that one call weaves in, by kind; at least 1. */
  readonly latentCounts: Readonly<Record<LatentKind, number>>;
  /** Everything that training changes (in place), by a stable name. */
  parameters(): Map<string, tf.Variable>;
  begin(options: WeaverSessionOptions): WeaverSession;
  /**
   * Its fastest way to weave while text is generated, with the results of {@link Weaver.begin} up to rounding. Left out by
   * weavers that have no other way.
   */
  beginInference?(options: InferenceOptions): WeaverInference;
  /**
   * Whether its parameters differ from those of a new weaver: false for one that no training has changed yet, also if it
   * comes from files. Left out by weavers that cannot tell, which are then taken for trained.
   */
  isTrained?(): Promise<boolean>;
  /**
   * A new weaver of the same settings over the same base, as if none had been trained; the caller disposes it. Left out by
   * weavers that cannot be made anew.
   */
  untrained?(random: Random): Weaver;
  /** Writes the weaver into a folder (which exists), in files of its own format. */
  save(folder: string): Promise<void>;
  dispose(): void;
}

export interface TrainedWeaverOptions {
  /** For experiments that want to know what a trigger makes of random latents. @default false */
  allowUntrainedWeaver?: boolean;
}

/**
 * To be called before a trigger is trained: over a weaver that no training has changed, all that it could learn is to
 * shun random latents, and it would go on to shun those of the weaver trained later.
 * @throws MemGenError `weaver-untrained`.
 */
export async function requireTrainedWeaver(
  weaver: Weaver,
  { allowUntrainedWeaver = false }: TrainedWeaverOptions = {},
): Promise<void> {
  if (allowUntrainedWeaver || weaver.isTrained === undefined || (await weaver.isTrained())) return;
  throw new MemGenError({
    code: 'weaver-untrained',
    message: 'a trigger would be trained over a weaver that was never trained',
    got: 'a weaver with the parameters of a new one',
    expected: 'a trained weaver',
    hint: 'train the weaver first and load its checkpoint, or set allowUntrainedWeaver: true to do it all the same',
  });
}
