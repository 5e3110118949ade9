// A batch in generation: what the reasoner has read, and what the weaver has yet to read.
import * as tf from '@tensorflow/tfjs';
import type { LatentKind, Weaver, WeaverSession } from '../memgen/weaver.js';
import type { MaskRow } from '../model/attention-columns.js';
import type { Decoder } from '../model/decoder.js';
import type { StepDecoder } from '../step-decoder/index.js';
import { BackendReader, joinColumns, StepReader, type ColumnReader, type Columns } from './column-reader.js';

/** With more rows than this a backend computes a column of the batch faster than a step decoder. */
const mostStepRows = 8;

export interface GenerationBatchOptions {
  weaver?: Weaver | undefined;
  /** Asked for the step decoder, if any, that reads what follows the prompts, when there are few rows. */
  stepDecoder: () => Promise<StepDecoder | undefined>;
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
    private size: number,
    private readonly options: GenerationBatchOptions,
  ) {
    this.reader = new BackendReader(reasoner, size);
    this.session = options.weaver?.begin({ batch: size });
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
    await this.chooseReader();
    const latents = this.weave(ids, mask, kind, weave);
    try {
      return await this.reader.read({ ids, mask, latents });
    } finally {
      this.hasRead = true;
      latents?.vectors.dispose();
    }
  }

  /** Goes on with the given rows only. */
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
    this.size = rows.length;
  }

  dispose(): void {
    this.reader.dispose();
    this.session?.dispose();
    this.forget();
  }

  /** Prompts are read on the backend; what follows, by the step decoder as soon as there are few rows. */
  private async chooseReader(): Promise<void> {
    if (!this.hasRead || this.size > mostStepRows || !(this.reader instanceof BackendReader)) return;
    const stepDecoder = await this.options.stepDecoder();
    if (stepDecoder === undefined) return;
    const old = this.reader;
    this.reader = await StepReader.takeOver(stepDecoder, old.cache);
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
    const vectors = tf.tidy(() => {
      const all = joinColumns(this.unread, this.reasoner.config.hiddenSize);
      return session.weave(kind, all.vectors, all.mask);
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
