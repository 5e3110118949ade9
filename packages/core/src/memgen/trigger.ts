// The trigger as the rest of the project sees it: something that reads tokens and says whether to recall.
import type * as tf from '@tensorflow/tfjs';
import type { MaskRow } from '../model/attention-columns.js';
import type { Execution } from '../training/execution.js';
import type { InferenceOptions } from './weaver.js';

export interface TriggerSessionOptions {
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
 * One pass over a batch of texts. Each token is read once, however often the session is asked.
 *
 * Calls of an eager session come inside a `tf.tidy` of the caller, so what the session keeps for later calls it keeps from
 * the tidy. With a tape, the tape owns what pieces return, and the session is disposed before the backward pass.
 */
export interface TriggerSession {
  /**
   * Reads new token columns and judges each of them as a point.
   * @param ids - `[rows][columns]`, any id where the mask is 0.
   * @param mask - one row of 0 and 1 per batch row, padding at any place; a row may have no new column at all.
   * @returns logits `[rows * columns, 2]`; class 1 is "weave". Those of a column depend on the tokens of its row up to it;
   *   at padding they mean nothing.
   * @throws MemGenError for columns that do not fit the session.
   */
  judge(ids: readonly (readonly number[])[], mask: readonly MaskRow[]): tf.Tensor2D;
  /**
   * Goes on with the given rows only (generation), in the given order; a row may come several times.
   * @throws MemGenError for a row that is not there.
   */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/** One pass over a batch while text is generated: without gradients, each row at its own pace. */
export interface TriggerInference {
  /**
   * Reads new tokens of the rows that are at a point, each token once.
   * @param ids - by row, at least one token; undefined for a row that is not asked about, which reads nothing.
   * @returns by row, two logits at its last token; class 1 is "weave".
   */
  judge(ids: readonly (readonly number[] | undefined)[]): Promise<(Float32Array | undefined)[]>;
  /** Goes on with the given rows only, in the given order; a row may come several times. */
  select(rows: readonly number[]): void;
  dispose(): void;
}

/**
 * A trigger: any module that decides at a point of the text whether latents are woven in. `@memgen/trigger/test` checks
 * one.
 */
export interface Trigger {
  /** Everything that training changes (in place), by a stable name; none for a rule. */
  parameters(): Map<string, tf.Variable>;
  begin(options: TriggerSessionOptions): TriggerSession;
  /**
   * Its fastest way to judge while text is generated, with the results of {@link Trigger.begin} up to rounding. Left out by
   * triggers that have no other way.
   */
  beginInference?(options: InferenceOptions): TriggerInference;
  /** Writes the trigger into a folder (which exists), in files of its own format. */
  save(folder: string): Promise<void>;
  dispose(): void;
}
