// Reads the rows of a batch by a frozen model, without gradients, in whichever way is the fastest for them.
import type { Decoder } from '../model/decoder.js';
import type { LoraAdapter } from '../model/lora.js';
import { BackendRows } from './backend-rows.js';
import type { ReadOptions, RowReader } from './row-reader.js';
import type { RowVectors } from './row-vectors.js';
import { StepRows } from './step-rows.js';
import { stepDecoderOf, stepsReadPromptsFaster, type DecodingMode } from './step-decoders.js';

export interface InferenceReaderOptions {
  /** Rows of the batch. */
  rows: number;
  /** Over the model. */
  adapter?: LoraAdapter | undefined;
  /** @default "auto" */
  decoding?: DecodingMode | undefined;
  /** Most columns of a row that are computed at a time on the backend. @default 512 */
  chunk?: number | undefined;
}

/** Opens readers with the settings of a generation; for weavers and triggers that read with a model of their own. */
export type OpenReader = (model: Decoder, options: Pick<InferenceReaderOptions, 'rows' | 'adapter'>) => InferenceReader;

/**
 * Keeps the keys and values of what each row has read. The first columns (prompts) are read on the backend unless a step
 * decoder is faster for them too, later ones by a step decoder where there is one.
 */
export class InferenceReader implements RowReader {
  private reader: RowReader;
  private rows: number;
  private hasRead = false;

  constructor(
    private readonly model: Decoder,
    private readonly options: InferenceReaderOptions,
  ) {
    const { rows, adapter, chunk = 512 } = options;
    this.rows = rows;
    this.reader = new BackendRows(model, rows, { adapter, chunk });
  }

  /** Rows of the batch. */
  get size(): number {
    return this.rows;
  }

  async embed(ids: readonly number[]): Promise<Float32Array> {
    await this.chooseReader(this.rows, ids.length);
    return this.reader.embed(ids);
  }

  async hidden(vectors: RowVectors, options?: ReadOptions): Promise<(Float32Array | undefined)[]> {
    await this.chooseReader(this.rows, this.columnsOf(vectors));
    this.hasRead = true;
    return this.reader.hidden(vectors, options);
  }

  async logits(vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    await this.chooseReader(this.rows, this.columnsOf(vectors));
    this.hasRead = true;
    return this.reader.logits(vectors);
  }

  /** Goes on with `times` rows in the place of each, which share what has been read. @returns the rows of before. */
  async repeat(times: number): Promise<number[]> {
    // Rows of a step decoder can share memory; those of the backend are copies.
    await this.chooseReader(this.rows * times, Infinity);
    const rows = repeatEach(this.rows, times);
    this.select(rows);
    return rows;
  }

  select(rows: readonly number[]): void {
    this.reader.select(rows);
    this.rows = rows.length;
  }

  dispose(): void {
    this.reader.dispose();
  }

  private columnsOf(vectors: RowVectors): number {
    return vectors.reduce((sum, row) => sum + (row?.length ?? 0), 0) / this.model.config.hiddenSize;
  }

  /** @param columns - that are read next. */
  private async chooseReader(rows: number, columns: number): Promise<void> {
    if (!(this.reader instanceof BackendRows) || (!this.hasRead && !stepsReadPromptsFaster(this.model, columns)))
      return;
    const { adapter, decoding = 'auto' } = this.options;
    const stepDecoder = await stepDecoderOf(this.model, decoding, rows);
    if (stepDecoder === undefined) return;
    const old = this.reader;
    this.reader = this.hasRead
      ? await StepRows.takeOver(stepDecoder, old.cache, adapter)
      : await StepRows.begin(stepDecoder, rows, adapter);
    old.dispose();
  }
}

/** Opens readers that all follow the same settings. */
export function readerOpener(settings: Pick<InferenceReaderOptions, 'decoding' | 'chunk'>): OpenReader {
  return (model, options) => new InferenceReader(model, { ...settings, ...options });
}

/** Each of `count` rows `times` times: `0 0 1 1` for 2 and 2. */
export function repeatEach(count: number, times: number): number[] {
  return Array.from({ length: count * times }, (_, i) => Math.floor(i / times));
}
