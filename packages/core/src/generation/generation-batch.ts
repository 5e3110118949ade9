// A batch in generation: what the reasoner has read, and what the weaver has yet to read.
import { joinVectors, readerOpener, unpackRows, type DecodingMode, type InferenceReader } from '../inference/index.js';
import { WeaverSessionInference } from '../memgen/session-inference.js';
import type { LatentKind, Weaver, WeaverInference } from '../memgen/weaver.js';
import type { Decoder } from '../model/decoder.js';
import type { LoraAdapter } from '../model/lora.js';
import type { TraceRecorder } from './trace-recorder.js';

export interface GenerationBatchOptions {
  weaver?: Weaver | undefined;
  /** Over the reasoner. */
  adapter?: LoraAdapter | undefined;
  /** Most columns of a prompt computed at a time. */
  chunk: number;
  decoding: DecodingMode;
  /** Watches, for a trace. */
  recorder?: TraceRecorder | undefined;
}

/** Owns what the reasoner and the weaver remember. */
export class GenerationBatch {
  private readonly reader: InferenceReader;
  private readonly weaving: WeaverInference | undefined;
  /** By row, what the reasoner has read since the weaver last read. */
  private unread: Float32Array[][];

  constructor(
    private readonly reasoner: Decoder,
    rows: number,
    private readonly options: GenerationBatchOptions,
  ) {
    const { weaver, adapter, chunk } = options;
    const open = readerOpener(options);
    this.reader = open(reasoner, { rows, adapter });
    this.weaving =
      weaver &&
      (weaver.beginInference?.({ rows, open }) ??
        new WeaverSessionInference(weaver, reasoner.config.hiddenSize, { rows, chunk }));
    this.unread = Array.from({ length: rows }, () => []);
  }

  /** Rows of the batch. */
  get size(): number {
    return this.reader.size;
  }

  /**
   * Reads tokens (and, where `weave` says so, latents behind them) and predicts the next token of each row.
   * @param ids - by row; none for a row that has ended.
   * @param weave - rows that get latents.
   * @returns by row, logits `[vocabulary]`; undefined for a row that has ended.
   */
  async read(
    ids: readonly (readonly number[])[],
    kind: LatentKind,
    weave: readonly boolean[],
  ): Promise<(Float32Array | undefined)[]> {
    const { recorder } = this.options;
    recorder?.skip();
    const { hiddenSize } = this.reasoner.config;
    const tokens = unpackRows(
      await this.reader.embed(ids.flat()),
      ids.map((row) => (row.length === 0 ? undefined : row.length * hiddenSize)),
    );
    const latents = await this.weave(tokens, kind, weave);
    const logits = await this.reader.logits(
      tokens.map((row, b) => {
        const woven = latents?.[b];
        return row === undefined || woven === undefined ? row : joinVectors([row, woven]);
      }),
    );
    recorder?.count('reasoner');
    return logits;
  }

  /** Goes on with `times` rows in the place of each, which share what has been read. */
  async repeat(times: number): Promise<void> {
    if (times === 1) return;
    const rows = await this.reader.repeat(times);
    this.selectUnread(rows);
  }

  /** Goes on with the given rows only, in this order; a row may be repeated. */
  select(rows: readonly number[]): void {
    this.reader.select(rows);
    this.selectUnread(rows);
  }

  dispose(): void {
    this.reader.dispose();
    this.weaving?.dispose();
  }

  private selectUnread(rows: readonly number[]): void {
    this.weaving?.select(rows);
    this.unread = rows.map((row) => [...this.unread[row]!]);
  }

  /** Latents of the rows that are woven. */
  private async weave(
    tokens: readonly (Float32Array | undefined)[],
    kind: LatentKind,
    weave: readonly boolean[],
  ): Promise<(Float32Array | undefined)[] | undefined> {
    const { weaving, unread } = this;
    if (weaving === undefined) return undefined;
    tokens.forEach((row, b) => {
      if (row !== undefined) unread[b]!.push(row);
    });
    if (!weave.includes(true)) return undefined;
    const latents = await weaving.weave(
      kind,
      weave.map((on, b) => (on ? joinVectors(unread[b]!) : undefined)),
    );
    latents.forEach((row, b) => {
      if (row !== undefined) unread[b] = [row];
    });
    await this.options.recorder?.lookAt(latents);
    return latents;
  }
}
