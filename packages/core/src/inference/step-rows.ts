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
    const { states, ends } = this.read(vectors, forget);
    return ends.map((end) =>
      end === undefined ? undefined : states.slice((end - last) * hiddenSize, end * hiddenSize),
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to become a rejection
  async logits(vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    const { vocabularySize } = this.decoder.config;
    const { ends } = this.read(vectors, 0);
    const places = ends.flatMap((end) => (end === undefined ? [] : [end - 1]));
    return unpackRows(
      this.decoder.logits(places).slice(),
      ends.map((end) => end && vocabularySize),
    );
  }

  select(rows: readonly number[]): void {
    this.cache.select(rows);
  }

  dispose(): void {
    this.adapter?.dispose();
    this.cache.dispose();
  }

  /** @returns all hidden states, a view; and by row where its columns end among them. */
  private read(vectors: RowVectors, forget: number): { states: Float32Array; ends: (number | undefined)[] } {
    const { decoder, cache, adapter } = this;
    const { hiddenSize } = decoder.config;
    const counts = vectors.map((row) => (row?.length ?? 0) / hiddenSize);
    const states = decoder.read(packRows(vectors), counts, cache, { adapter, forget });
    let end = 0;
    return { states, ends: counts.map((count, b) => ((end += count), vectors[b] === undefined ? undefined : end)) };
  }
}
