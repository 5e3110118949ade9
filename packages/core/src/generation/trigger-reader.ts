// Asks a trigger about the rows of a batch in generation; it reads each token once, when its row is next asked about.
import type { Random } from '@memgen/common';
import type { OpenReader } from '../inference/index.js';
import { TriggerSessionInference } from '../memgen/session-inference.js';
import type { Trigger, TriggerInference } from '../memgen/trigger.js';
import { sampleToken } from './sampler.js';

export interface TriggerReaderOptions {
  /** Tokens with this id are hidden, as in the reference, also where they stand in the text. */
  padId: number;
  /** Most columns read at a time. */
  chunk: number;
  open: OpenReader;
}

/** The trigger's pass over a batch, with what each row has not shown it yet. */
export class TriggerReader {
  private readonly judging: TriggerInference;

  /** @param unread - the prompts. */
  constructor(
    trigger: Trigger,
    private unread: number[][],
    private readonly options: TriggerReaderOptions,
  ) {
    const { chunk, open } = options;
    const rows = unread.length;
    this.judging = trigger.beginInference?.({ rows, open }) ?? new TriggerSessionInference(trigger, { rows, chunk });
    this.unread = unread.map((row) => row.filter((id) => id !== options.padId));
  }

  /** Rows of the batch. */
  get size(): number {
    return this.unread.length;
  }

  /** Adds a new token of a row. */
  push(row: number, id: number): void {
    if (id !== this.options.padId) this.unread[row]!.push(id);
  }

  /**
   * @param atPoint - rows that are asked about.
   * @returns by row, logits of "refuse" and "weave" at its last token.
   */
  async judge(atPoint: readonly boolean[]): Promise<(Float32Array | undefined)[]> {
    // A row with nothing to read, all of it padding, is not asked about.
    const ids = this.unread.map((row, b) => (atPoint[b]! && row.length > 0 ? row : undefined));
    if (ids.every((row) => row === undefined)) return ids.map(() => undefined);
    const logits = await this.judging.judge(ids);
    this.unread = this.unread.map((row, b) => (ids[b] === undefined ? row : []));
    return logits;
  }

  /** Goes on with the given rows only; a row may be repeated. */
  select(rows: readonly number[]): void {
    this.judging.select(rows);
    this.unread = rows.map((row) => [...this.unread[row]!]);
  }

  dispose(): void {
    this.judging.dispose();
  }
}

/** Whether to weave: the larger logit, or a draw from softmax(logits / temperature). */
export function decides(logits: Float32Array, temperature: number, random: Random): boolean {
  return sampleToken(logits, { temperature }, random) === 1;
}
