// A batch in generation: what the reasoner has read, and what the weaver has yet to read.
import * as tf from '@tensorflow/tfjs';
import type { LatentKind, Weaver, WeaverSession } from '../memgen/weaver.js';
import type { MaskRow } from '../model/attention-columns.js';
import type { Decoder } from '../model/decoder.js';
import type { LoraAdapter } from '../model/lora.js';
import type { StepDecoder } from '../step-decoder/index.js';
import { BackendReader, StepReader, type ColumnReader } from './column-reader.js';
import { joinColumns, splitColumns, type Columns } from './columns.js';
import { stepsReadPromptsFaster } from './step-decoders.js';
import type { TraceRecorder } from './trace-recorder.js';

export interface GenerationBatchOptions {
  weaver?: Weaver | undefined;
  /** Over the reasoner. */
  adapter?: LoraAdapter | undefined;
  /** Most columns of a prompt computed at a time. */
  chunk: number;
  /** Asked for the step decoder, if any, that reads what follows the prompts for so many rows. */
  stepDecoder: (rows: number) => Promise<StepDecoder | undefined>;
  /** Watches, for a trace. */
  recorder?: TraceRecorder | undefined;
}

/** Owns the caches of the reasoner and the weaver. */
export class GenerationBatch {
  private reader: ColumnReader;
  private readonly session: WeaverSession | undefined;
  /** Read by the reasoner since the weaver last read. */
  private unread: Columns[] = [];
  private hasRead = false;

  constructor(
    private readonly reasoner: Decoder,
    private rows: number,
    private readonly options: GenerationBatchOptions,
  ) {
    this.reader = new BackendReader(reasoner, rows, options);
    this.session = options.weaver?.begin({ batch: rows });
  }

  /** Rows of the batch. */
  get size(): number {
    return this.rows;
  }

  /**
   * Reads token columns (and, where `weave` says so, latents behind them) and predicts the next token of each row.
   * @param ids - `[batch][width]`, any id at padding.
   * @param weave - rows that get latents; others get masked columns in their place.
   * @returns logits `[batch * vocabulary]`.
   */
  async read(
    ids: readonly (readonly number[])[],
    mask: readonly MaskRow[],
    kind: LatentKind,
    weave: readonly boolean[],
  ): Promise<Float32Array> {
    await this.chooseReader(this.rows);
    const { recorder } = this.options;
    recorder?.skip();
    const latents = this.weave(ids, mask, kind, weave);
    try {
      if (latents !== undefined) await recorder?.lookAt(latents.vectors, weave);
      const logits = await this.reader.read({ ids, mask, latents });
      recorder?.count('reasoner');
      return logits;
    } finally {
      this.hasRead = true;
      latents?.vectors.dispose();
    }
  }

  /** Goes on with `times` rows in the place of each, which share what has been read. */
  async repeat(times: number): Promise<void> {
    if (times === 1) return;
    // Rows of a step decoder can share memory; those of the backend are copies.
    await this.chooseReader(this.rows * times);
    this.select(repeatEach(this.rows, times));
  }

  /** Goes on with the given rows only, in this order; a row may be repeated. */
  select(rows: readonly number[]): void {
    this.reader.select(rows);
    this.session?.select(rows);
    const unread = this.unread;
    this.unread = unread.map(({ vectors, mask }) => {
      const width = mask[0]!.length;
      const places = rows.flatMap((row) => Array.from({ length: width }, (_, t) => row * width + t));
      return {
        vectors: tf.tidy(() => tf.gather(vectors, tf.tensor1d(places, 'int32'))),
        mask: rows.map((row) => mask[row]!),
      };
    });
    tf.dispose(unread.map(({ vectors }) => vectors));
    this.rows = rows.length;
  }

  dispose(): void {
    this.reader.dispose();
    this.session?.dispose();
    this.forget();
  }

  /** New tokens are read by the step decoder when there are few rows; prompts where it is faster. */
  private async chooseReader(rows: number): Promise<void> {
    if (!(this.reader instanceof BackendReader) || (!this.hasRead && !stepsReadPromptsFaster())) return;
    const stepDecoder = await this.options.stepDecoder(rows);
    if (stepDecoder === undefined) return;
    const { adapter } = this.options;
    const old = this.reader;
    this.reader = this.hasRead
      ? await StepReader.takeOver(stepDecoder, old.cache, adapter)
      : await StepReader.begin(stepDecoder, rows, adapter);
    old.dispose();
  }

  /** Latents of the rows that are woven. */
  private weave(
    ids: readonly (readonly number[])[],
    mask: readonly MaskRow[],
    kind: LatentKind,
    weave: readonly boolean[],
  ): Columns | undefined {
    const { weaver } = this.options;
    if (this.session === undefined || weaver === undefined) return undefined;
    this.unread.push({ vectors: this.reasoner.embed(ids.flat()), mask });
    if (!weave.includes(true)) return undefined;
    const { session } = this;
    const { hiddenSize } = this.reasoner.config;
    const vectors = tf.tidy(() => {
      const chunks = splitColumns(joinColumns(this.unread, hiddenSize), hiddenSize, this.options.chunk);
      // What the weaver answers before it has read all of the columns is not needed.
      for (const chunk of chunks.slice(0, -1)) session.weave(kind, chunk.vectors, chunk.mask).dispose();
      const last = chunks.at(-1)!;
      return session.weave(kind, last.vectors, last.mask);
    });
    this.forget();
    const count = weaver.latentCounts[kind];
    const woven = { vectors, mask: weave.map((on) => Array.from({ length: count }, () => (on ? 1 : 0))) };
    this.unread.push({ vectors: vectors.clone(), mask: woven.mask });
    return woven;
  }

  private forget(): void {
    tf.dispose(this.unread.map(({ vectors }) => vectors));
    this.unread = [];
  }
}

/** Each of `count` rows `times` times: `0 0 1 1` for 2 and 2. */
export function repeatEach(count: number, times: number): number[] {
  return Array.from({ length: count * times }, (_, i) => Math.floor(i / times));
}
