// Reads rows on the backend: the batch is padded on the left and computed at once, many columns in chunks.
import * as tf from '@tensorflow/tfjs';
import type { Decoder } from '../model/decoder.js';
import type { KeyValueCache } from '../model/key-value-cache.js';
import type { LoraAdapter } from '../model/lora.js';
import { valuesOf } from '../training/values-of.js';
import { padRows, sliceColumns } from './pad-rows.js';
import type { ReadOptions, RowReader } from './row-reader.js';
import { unpackRows, type RowVectors } from './row-vectors.js';

export interface BackendRowsOptions {
  adapter?: LoraAdapter | undefined;
  /** Most columns computed at a time. */
  chunk: number;
}

export class BackendRows implements RowReader {
  private current: KeyValueCache;

  constructor(
    private readonly model: Decoder,
    rows: number,
    private readonly options: BackendRowsOptions,
  ) {
    this.current = model.createCache(rows);
  }

  /** For another reader that takes over. */
  get cache(): KeyValueCache {
    return this.current;
  }

  embed(ids: readonly number[]): Promise<Float32Array> {
    return valuesOf(() => this.model.embed(ids));
  }

  async hidden(vectors: RowVectors, { last = 1, forget = 0 }: ReadOptions = {}): Promise<(Float32Array | undefined)[]> {
    const { hiddenSize } = this.model.config;
    const values = await valuesOf(() => this.forward(vectors, last, forget));
    const each = last * hiddenSize;
    return vectors.map((row, b) => (row === undefined ? undefined : values.subarray(b * each, (b + 1) * each)));
  }

  async logits(vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    const { vocabularySize } = this.model.config;
    const reading = vectors.flatMap((row, b) => (row === undefined ? [] : [b]));
    const values = await valuesOf(() => {
      const hidden = this.forward(vectors, 1, 0);
      const chosen = reading.length === vectors.length ? hidden : tf.gather(hidden, tf.tensor1d(reading, 'int32'));
      return this.model.logits(chosen);
    });
    return unpackRows(
      values,
      vectors.map((row) => row && vocabularySize),
    );
  }

  select(rows: readonly number[]): void {
    const old = this.current;
    this.current = old.select(rows);
    old.dispose();
  }

  dispose(): void {
    this.current.dispose();
  }

  /** @returns hidden states of the last columns, `[rows * last, hidden]`. */
  private forward(vectors: RowVectors, last: number, forget: number): tf.Tensor2D {
    const { model } = this;
    const { hiddenSize } = model.config;
    const { chunk, adapter } = this.options;
    const rows = padRows(vectors, hiddenSize);
    const batch = vectors.length;
    const pass = (start: number, end: number, keep: number, last?: number) => {
      const { values, mask } = sliceColumns(rows, hiddenSize, start, end);
      const inputs = tf.tensor2d(values, [batch * (end - start), hiddenSize]);
      return model.forward(inputs, mask, {
        cache: this.current,
        keep,
        ...(last !== undefined && { last }),
        adapter: adapter && { adapter },
      });
    };
    // All that is asked for, or forgotten, lies in the last pass.
    const { width } = rows;
    const lastStart = Math.floor((width - Math.max(last, forget)) / chunk) * chunk;
    for (let start = 0; start < lastStart; start += chunk) tf.tidy(() => void pass(start, start + chunk, chunk, 1));
    return pass(lastStart, width, width - lastStart - forget, last);
  }
}
