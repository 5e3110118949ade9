// Asks a trigger about the rows of a batch in generation; it reads each token once, when it is next asked.
import type { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Trigger, TriggerSession } from '../memgen/trigger.js';
import { sampleToken } from './sampler.js';

/** The trigger's session over a batch, with what each row has not shown it yet. */
export class TriggerReader {
  private readonly session: TriggerSession;

  /**
   * @param unread - the prompts.
   * @param padId - tokens with this id are masked, as in the reference, also where they stand in the text.
   */
  constructor(
    trigger: Trigger,
    private unread: number[][],
    private readonly padId: number,
  ) {
    this.session = trigger.begin({ batch: unread.length });
  }

  /** Adds a new token of a row. */
  push(row: number, id: number): void {
    this.unread[row]!.push(id);
  }

  /** Logits of "refuse" and "weave" at the last token of every row, two per row. */
  async judge(): Promise<Float32Array> {
    const width = Math.max(...this.unread.map((ids) => ids.length));
    const padded = this.unread.map((ids) => [...Array.from({ length: width - ids.length }, () => this.padId), ...ids]);
    const mask = padded.map((ids) => ids.map((id) => (id === this.padId ? 0 : 1)));
    const last = tf.tidy(() => {
      const logits = tf.reshape(this.session.judge(padded, mask), [padded.length, width, 2]);
      return tf.slice(logits, [0, width - 1, 0], [padded.length, 1, 2]);
    });
    this.unread = this.unread.map(() => []);
    try {
      return await last.data<'float32'>();
    } finally {
      last.dispose();
    }
  }

  /** Goes on with the given rows only. */
  select(rows: readonly number[]): void {
    this.session.select(rows);
    this.unread = rows.map((row) => this.unread[row]!);
  }

  dispose(): void {
    this.session.dispose();
  }
}

/** Whether to weave: the larger logit, or a draw from softmax(logits / temperature). */
export function decides(logits: Float32Array, temperature: number, random: Random): boolean {
  return sampleToken(logits, { temperature }, random) === 1;
}
