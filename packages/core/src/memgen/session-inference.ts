// Inference with weavers and triggers that have sessions only: rows are padded, and read side by side.
import * as tf from '@tensorflow/tfjs';
import { padRows, sliceColumns, type RowVectors } from '../inference/index.js';
import { valuesOf } from '../training/values-of.js';
import type { Trigger, TriggerInference, TriggerSession } from './trigger.js';
import type { LatentKind, Weaver, WeaverInference, WeaverSession } from './weaver.js';

export interface SessionInferenceOptions {
  /** Rows of the batch. */
  rows: number;
  /** Most columns read at a time. */
  chunk: number;
}

export class WeaverSessionInference implements WeaverInference {
  private readonly session: WeaverSession;

  /** @param hiddenSize - of the reasoner. */
  constructor(
    private readonly weaver: Weaver,
    private readonly hiddenSize: number,
    private readonly options: SessionInferenceOptions,
  ) {
    this.session = weaver.begin({ batch: options.rows });
  }

  async weave(kind: LatentKind, vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    const { hiddenSize, session } = this;
    const { chunk } = this.options;
    const rows = padRows(vectors, hiddenSize);
    const weave = (start: number) => {
      const { values, width, mask } = sliceColumns(rows, hiddenSize, start, Math.min(start + chunk, rows.width));
      return session.weave(kind, tf.tensor2d(values, [mask.length * width, hiddenSize]), mask);
    };
    // What the weaver answers before it has read all of the columns is not needed.
    const last = Math.floor((rows.width - 1) / chunk) * chunk;
    for (let start = 0; start < last; start += chunk) tf.tidy(() => void weave(start));
    const all = await valuesOf(() => weave(last));
    const each = this.weaver.latentCounts[kind] * hiddenSize;
    return vectors.map((row, b) => (row === undefined ? undefined : all.slice(b * each, (b + 1) * each)));
  }

  select(rows: readonly number[]): void {
    this.session.select(rows);
  }

  dispose(): void {
    this.session.dispose();
  }
}

export class TriggerSessionInference implements TriggerInference {
  private readonly session: TriggerSession;

  constructor(
    trigger: Trigger,
    private readonly options: SessionInferenceOptions,
  ) {
    this.session = trigger.begin({ batch: options.rows });
  }

  async judge(ids: readonly (readonly number[] | undefined)[]): Promise<(Float32Array | undefined)[]> {
    const { session } = this;
    const { chunk } = this.options;
    const width = Math.max(...ids.map((row) => row?.length ?? 0));
    const missing = ids.map((row) => width - (row?.length ?? 0));
    const padded = ids.map((row, b) => [...Array.from({ length: missing[b]! }, () => 0), ...(row ?? [])]);
    const judge = (start: number) => {
      const columns = padded.map((row) => row.slice(start, start + chunk));
      const mask = columns.map((row, b) => row.map((_, t) => (start + t < missing[b]! ? 0 : 1)));
      const size = columns[0]!.length;
      const logits = tf.reshape(session.judge(columns, mask), [ids.length, size, 2]);
      return tf.slice(logits, [0, size - 1, 0], [ids.length, 1, 2]);
    };
    const last = Math.floor((width - 1) / chunk) * chunk;
    for (let start = 0; start < last; start += chunk) tf.tidy(() => void judge(start));
    const all = await valuesOf(() => judge(last));
    return ids.map((row, b) => (row === undefined ? undefined : all.slice(2 * b, 2 * b + 2)));
  }

  select(rows: readonly number[]): void {
    this.session.select(rows);
  }

  dispose(): void {
    this.session.dispose();
  }
}
