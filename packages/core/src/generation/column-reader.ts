// How the reasoner reads the columns of a batch in generation: on the backend, or by a step decoder.
import * as tf from '@tensorflow/tfjs';
import type { MaskRow } from '../model/attention-columns.js';
import type { Decoder } from '../model/decoder.js';
import type { KeyValueCache } from '../model/key-value-cache.js';
import type { LoraAdapter } from '../model/lora.js';
import type { StepAdapter, StepCache, StepDecoder } from '../step-decoder/index.js';
import { joinColumns, type Columns } from './columns.js';

/** Columns to read next: tokens, and latents behind them in the rows that are woven. */
export interface NextColumns {
  /** `[batch][width]`, any id at padding. */
  ids: readonly (readonly number[])[];
  mask: readonly MaskRow[];
  /** In the rows that have no latents all of its mask is 0. */
  latents?: Columns | undefined;
}

/** Reads columns and predicts what follows the last of each row. */
export interface ColumnReader {
  /** @returns logits `[batch * vocabulary]`; of rows that read nothing they mean nothing. */
  read(columns: NextColumns): Promise<Float32Array>;
  /** Goes on with the given rows only, in this order; a row may be repeated. */
  select(rows: readonly number[]): void;
  dispose(): void;
}

export interface BackendReaderOptions {
  adapter?: LoraAdapter | undefined;
  /** Most token columns computed at a time. */
  chunk: number;
}

/** Pads the batch and computes it at once, long prompts in chunks of columns: for prompts, and for many rows. */
export class BackendReader implements ColumnReader {
  private current: KeyValueCache;

  constructor(
    private readonly reasoner: Decoder,
    size: number,
    private readonly options: BackendReaderOptions,
  ) {
    this.current = reasoner.createCache(size);
  }

  get cache(): KeyValueCache {
    return this.current;
  }

  async read({ ids, mask, latents }: NextColumns): Promise<Float32Array> {
    const { chunk } = this.options;
    const width = mask[0]!.length;
    const lastStart = Math.floor((width - 1) / chunk) * chunk;
    for (let start = 0; start < lastStart; start += chunk) {
      tf.tidy(() => {
        this.forward(this.tokens({ ids, mask }, start, start + chunk));
      });
    }
    const logits = tf.tidy(() => {
      const tokens = this.tokens({ ids, mask }, lastStart, width);
      const input = latents === undefined ? tokens : joinColumns([tokens, latents], this.reasoner.config.hiddenSize);
      const hidden = this.forward(input);
      const inputWidth = input.mask[0]!.length;
      // A row that was woven predicts from its last latent, another one from its last token.
      const last = mask.map((_, b) => (hasLatents(latents, b) ? inputWidth : width - lastStart) - 1);
      const places = last.map((column, b) => b * inputWidth + column);
      return this.reasoner.logits(tf.gather(hidden, tf.tensor1d(places, 'int32')));
    });
    try {
      return await logits.data<'float32'>();
    } finally {
      logits.dispose();
    }
  }

  select(rows: readonly number[]): void {
    const old = this.current;
    this.current = old.select(rows);
    old.dispose();
  }

  dispose(): void {
    this.current.dispose();
  }

  private tokens({ ids, mask }: NextColumns, start: number, end: number): Columns {
    const vectors = this.reasoner.embed(ids.flatMap((row) => row.slice(start, end)));
    return { vectors, mask: mask.map((row) => row.slice(start, end)) };
  }

  private forward({ vectors, mask }: Columns): tf.Tensor2D {
    const { adapter } = this.options;
    return this.reasoner.forward(vectors, mask, { cache: this.current, adapter: adapter && { adapter } });
  }
}

/** Computes the real columns only, row by row: for few rows, where a backend spends its time on overhead. */
export class StepReader implements ColumnReader {
  private constructor(
    private readonly decoder: StepDecoder,
    private readonly cache: StepCache,
    private readonly adapter: StepAdapter | undefined,
  ) {}

  /** Reads from the start. */
  static async begin(decoder: StepDecoder, rows: number, adapter?: LoraAdapter): Promise<StepReader> {
    return new StepReader(decoder, decoder.createCache(rows), adapter && (await decoder.prepareAdapter(adapter)));
  }

  /** Goes on where a reader on the backend has come to; that one can be disposed. */
  static async takeOver(decoder: StepDecoder, cache: KeyValueCache, adapter?: LoraAdapter): Promise<StepReader> {
    const prepared = adapter && (await decoder.prepareAdapter(adapter));
    try {
      return new StepReader(decoder, await decoder.importCache(cache), prepared);
    } catch (error) {
      prepared?.dispose();
      throw error;
    }
  }

  async read({ ids, mask, latents }: NextColumns): Promise<Float32Array> {
    const { decoder } = this;
    const { hiddenSize, vocabularySize } = decoder.config;
    const latentValues = await latents?.vectors.data<'float32'>();
    const latentSize = (latents?.mask[0]?.length ?? 0) * hiddenSize;
    const parts = ids.map((row, b) => {
      const tokens = decoder.embed(row.filter((_, t) => mask[b]![t] === 1));
      const woven = hasLatents(latents, b) ? latentValues!.subarray(b * latentSize, (b + 1) * latentSize) : undefined;
      return { tokens, woven, columns: (tokens.length + (woven?.length ?? 0)) / hiddenSize };
    });
    const counts = parts.map(({ columns }) => columns);
    const inputs = new Float32Array(hiddenSize * counts.reduce((sum, count) => sum + count, 0));
    const places: number[] = [];
    let column = 0;
    for (const { tokens, woven, columns } of parts) {
      inputs.set(tokens, column * hiddenSize);
      if (woven !== undefined) inputs.set(woven, column * hiddenSize + tokens.length);
      column += columns;
      if (columns > 0) places.push(column - 1);
    }
    decoder.read(inputs, counts, this.cache, { adapter: this.adapter });
    const logits = decoder.logits(places);
    // A copy: another generation may use the step decoder before this one has looked at its logits.
    if (places.length === ids.length) return logits.slice();
    // Rows that have ended read nothing.
    const spread = new Float32Array(ids.length * vocabularySize);
    let next = 0;
    counts.forEach((count, b) => {
      if (count === 0) return;
      spread.set(logits.subarray(next * vocabularySize, (next + 1) * vocabularySize), b * vocabularySize);
      next++;
    });
    return spread;
  }

  select(rows: readonly number[]): void {
    this.cache.select(rows);
  }

  dispose(): void {
    this.adapter?.dispose();
    this.cache.dispose();
  }
}

function hasLatents(latents: Columns | undefined, row: number): boolean {
  return latents?.mask[row]?.includes(1) ?? false;
}
