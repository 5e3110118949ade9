// Batches of encoded rows for pre-training: rows of like length together, so that little is padding.
import type { Random } from '@memgen/common';
import { MemGenError } from '@memgen/common';
import { renderRow } from '../tokenizer/render.js';
import type { WorldRow } from '../world/row.js';

/** Token ids and labels; -100 where nothing is to be learned. */
export interface EncodedRow {
  ids: number[];
  labels: number[];
}

export interface BatchesOptions {
  rows: Iterator<WorldRow>;
  encode: (text: string) => number[];
  batchRows: number;
  random: Random;
}

/** Batches that are sorted by length together. */
const poolBatches = 8;

/** Only what the assistant writes is supervised, not the notes it is given. */
export function encodeRow(row: WorldRow, encode: BatchesOptions['encode']): EncodedRow {
  const { prompt, given, completion } = renderRow(row);
  const context = [...encode(prompt), ...(given === '' ? [] : encode(given))];
  const written = encode(completion);
  return { ids: [...context, ...written], labels: [...context.map(() => -100), ...written] };
}

/** A stream of batches that must be asked for in order; `batch(step)` skips ahead where a run is resumed. */
export class Batches {
  private next = 0;
  private pool: EncodedRow[][] = [];

  constructor(private readonly options: BatchesOptions) {}

  batch(step: number): EncodedRow[] {
    if (step < this.next) {
      throw new MemGenError({
        code: 'batch-order',
        message: 'batches of pre-training come in order',
        got: `step ${step}`,
        expected: `${this.next} or later`,
      });
    }
    for (;;) {
      if (this.pool.length === 0) this.fill();
      const batch = this.pool.pop()!;
      if (this.next++ === step) return batch;
    }
  }

  private fill(): void {
    const { rows, encode, batchRows, random } = this.options;
    const encoded = Array.from({ length: batchRows * poolBatches }, () => {
      const { value } = rows.next() as IteratorYieldResult<WorldRow>;
      return encodeRow(value, encode);
    });
    encoded.sort((a, b) => a.ids.length - b.ids.length);
    const batches = Array.from({ length: poolBatches }, (_, i) => encoded.slice(i * batchRows, (i + 1) * batchRows));
    this.pool = random.shuffle(batches);
  }
}
