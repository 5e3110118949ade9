// Asks a trigger about the rows of a batch in generation; it reads each token once, when it is next asked.
import type { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Trigger, TriggerSession } from '../memgen/trigger.js';
import { padLeft } from '../text/left-pad.js';
import { sampleToken } from './sampler.js';

export interface TriggerReaderOptions {
  /** Tokens with this id are masked, as in the reference, also where they stand in the text. */
  padId: number;
  /** Most columns read at a time. */
  chunk: number;
}

/** The trigger's session over a batch, with what each row has not shown it yet. */
export class TriggerReader {
  private readonly session: TriggerSession;

  /** @param unread - the prompts. */
  constructor(
    trigger: Trigger,
    private unread: number[][],
    private readonly options: TriggerReaderOptions,
  ) {
    this.session = trigger.begin({ batch: unread.length });
  }

  /** Rows of the batch. */
  get size(): number {
    return this.unread.length;
  }

  /** Adds a new token of a row. */
  push(row: number, id: number): void {
    this.unread[row]!.push(id);
  }

  /** Logits of "refuse" and "weave" at the last token of every row, two per row. */
  async judge(): Promise<Float32Array> {
    const { padId, chunk } = this.options;
    const { ids } = padLeft(this.unread, padId);
    const width = ids[0]!.length;
    const lastStart = Math.floor((width - 1) / chunk) * chunk;
    for (let start = 0; start < lastStart; start += chunk) this.read(ids, start, start + chunk).dispose();
    const last = this.read(ids, lastStart, width);
    this.unread = this.unread.map(() => []);
    try {
      return await last.data<'float32'>();
    } finally {
      last.dispose();
    }
  }

  /** Goes on with the given rows only; a row may be repeated. */
  select(rows: readonly number[]): void {
    this.session.select(rows);
    this.unread = rows.map((row) => [...this.unread[row]!]);
  }

  dispose(): void {
    this.session.dispose();
  }

  /** @returns logits at the last of these columns, `[rows, 1, 2]`. */
  private read(ids: readonly (readonly number[])[], start: number, end: number): tf.Tensor {
    const columns = ids.map((row) => row.slice(start, end));
    const mask = columns.map((row) => row.map((id) => (id === this.options.padId ? 0 : 1)));
    return tf.tidy(() => {
      const logits = tf.reshape(this.session.judge(columns, mask), [ids.length, end - start, 2]);
      return tf.slice(logits, [0, end - start - 1, 0], [ids.length, 1, 2]);
    });
  }
}

/** Whether to weave: the larger logit, or a draw from softmax(logits / temperature). */
export function decides(logits: Float32Array, temperature: number, random: Random): boolean {
  return sampleToken(logits, { temperature }, random) === 1;
}
