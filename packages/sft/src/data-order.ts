// Which rows each optimizer step sees: a new seeded shuffle every epoch, the same whenever it is asked.
import { MemGenError, type Random } from '@memgen/common';

export interface DataOrderOptions {
  rows: number;
  /** Rows of one optimizer step. */
  batchSize: number;
  random: Random;
  /** A new order every epoch, or the rows as they are given (a curriculum). @default true */
  shuffle?: boolean;
}

/** Row indices by step. Every epoch uses each row once; its last batch may be smaller. */
export class DataOrder {
  readonly stepsPerEpoch: number;
  private epoch = -1;
  private order: number[] = [];

  constructor(private readonly options: DataOrderOptions) {
    if (options.rows === 0) throw new MemGenError({ code: 'data-empty', message: 'there are no rows to train on' });
    this.stepsPerEpoch = Math.ceil(options.rows / options.batchSize);
  }

  /** Rows of step `step`, counted from 0. */
  batch(step: number): number[] {
    const { rows, batchSize, random, shuffle = true } = this.options;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (epoch !== this.epoch) {
      const all = Array.from({ length: rows }, (_, i) => i);
      this.order = shuffle ? random.fork(`epoch ${epoch}`).shuffle(all) : all;
      this.epoch = epoch;
    }
    const start = (step % this.stepsPerEpoch) * batchSize;
    return this.order.slice(start, start + batchSize);
  }
}
