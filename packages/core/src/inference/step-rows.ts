// Reads rows by a step decoder: real columns only, without padding.
import type { KeyValueCache } from '../model/key-value-cache.js';
import type { LoraAdapter } from '../model/lora.js';
import type { StepAdapter, StepCache, StepDecoder } from '../step-decoder/index.js';
import type { ReadOptions, RowReader } from './row-reader.js';
import { packRows, unpackRows, type RowVectors } from './row-vectors.js';

export class StepRows implements RowReader {
  private constructor(
    private readonly decoder: StepDecoder,
    private readonly cache: StepCache,
    private readonly adapter: StepAdapter | undefined,
  ) {}

  /** Reads from the start. */
  static async begin(decoder: StepDecoder, rows: number, adapter?: LoraAdapter): Promise<StepRows> {
    const prepared = adapter && (await decoder.prepareAdapter(adapter));
    return new StepRows(decoder, decoder.createCache(rows), prepared);
  }

  /** Goes on where a reader on the backend has come to; that one can be disposed. */
  static async takeOver(decoder: StepDecoder, cache: KeyValueCache, adapter?: LoraAdapter): Promise<StepRows> {
    const prepared = adapter && (await decoder.prepareAdapter(adapter));
    try {
      return new StepRows(decoder, await decoder.importCache(cache), prepared);
    } catch (error) {
      prepared?.dispose();
      throw error;
    }
  }

  embed(ids: readonly number[]): Promise<Float32Array> {
    return Promise.resolve(this.decoder.embed(ids));
  }

  // Nothing here waits between reading and taking a copy: another generation may use the step decoder next.
  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to become a rejection
  async hidden(vectors: RowVectors, { last = 1, forget = 0 }: ReadOptions = {}): Promise<(Float32Array | undefined)[]> {
    const { hiddenSize } = this.decoder.config;
    const each = last * hiddenSize;
    const states = this.read(vectors, last, forget).slice();
    return unpackRows(
      states,
      vectors.map((row) => row && each),
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to become a rejection
  async logits(vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    const { vocabularySize } = this.decoder.config;
    this.read(vectors, 1, 0);
    const reading = vectors.filter((row) => row !== undefined);
    return unpackRows(
      this.decoder.logits([...reading.keys()]).slice(),
      vectors.map((row) => row && vocabularySize),
    );
  }

  select(rows: readonly number[]): void {
    this.cache.select(rows);
  }

  dispose(): void {
    this.adapter?.dispose();
    this.cache.dispose();
  }

  /** @returns hidden states of the last columns of each row that reads, a view. */
  private read(vectors: RowVectors, last: number, forget: number): Float32Array {
    const { decoder, cache, adapter } = this;
    const counts = vectors.map((row) => (row?.length ?? 0) / decoder.config.hiddenSize);
    return decoder.read(packRows(vectors), counts, cache, { adapter, forget, last });
  }
}
