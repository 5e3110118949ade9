// The tensors of a batch in generation: what the reasoner has read, and what the weaver has yet to read.
import * as tf from '@tensorflow/tfjs';
import type { LatentKind, Weaver, WeaverSession } from '../memgen/weaver.js';
import type { MaskRow } from '../model/attention-columns.js';
import type { Decoder } from '../model/decoder.js';
import type { KeyValueCache } from '../model/key-value-cache.js';

/** Columns of a batch: `vectors [batch * width, hidden]` with one mask row per batch row. */
interface Columns {
  vectors: tf.Tensor2D;
  mask: readonly MaskRow[];
}

/** Owns the caches of the reasoner and the weaver. */
export class GenerationBatch {
  private cache: KeyValueCache;
  private readonly session: WeaverSession | undefined;
  /** Read by the reasoner since the weaver last read. */
  private unread: Columns[] = [];

  constructor(
    private readonly reasoner: Decoder,
    private size: number,
    private readonly weaver?: Weaver,
  ) {
    this.cache = reasoner.createCache(size);
    this.session = weaver?.begin({ batch: size });
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
    const logits = tf.tidy(() => {
      const tokens = { vectors: this.reasoner.embed(ids.flat()), mask };
      this.remember(tokens);
      let input: Columns = tokens;
      if (this.session !== undefined && this.weaver !== undefined && weave.includes(true)) {
        const all = this.join(this.unread);
        const latents = this.session.weave(kind, all.vectors, all.mask);
        this.forget();
        const count = this.weaver.latentCounts[kind];
        const woven = { vectors: latents, mask: weave.map((on) => Array.from({ length: count }, () => (on ? 1 : 0))) };
        this.remember(woven);
        input = this.join([tokens, woven]);
      }
      const hidden = this.reasoner.forward(input.vectors, input.mask, { cache: this.cache });
      const width = input.mask[0]!.length;
      // A row that was woven predicts from its last latent, another one from its last token.
      const places = weave.map((on, b) => b * width + (on ? width : mask[0]!.length) - 1);
      return this.reasoner.logits(tf.gather(hidden, tf.tensor1d(places, 'int32')));
    });
    try {
      return await logits.data<'float32'>();
    } finally {
      logits.dispose();
    }
  }

  /** Goes on with the given rows only. */
  select(rows: readonly number[]): void {
    const old = this.cache;
    this.cache = old.select(rows);
    old.dispose();
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
    this.cache.dispose();
    this.session?.dispose();
    this.forget();
  }

  private remember(columns: Columns): void {
    if (this.session === undefined) return;
    this.unread.push({ vectors: tf.keep(columns.vectors.clone()), mask: columns.mask });
  }

  private forget(): void {
    tf.dispose(this.unread.map(({ vectors }) => vectors));
    this.unread = [];
  }

  /** Columns side by side. */
  private join(parts: readonly Columns[]): Columns {
    const size = this.reasoner.config.hiddenSize;
    const blocks = parts.map(({ vectors, mask }) => tf.reshape(vectors, [this.size, mask[0]!.length, size]));
    const mask = parts[0]!.mask.map((_, b) => parts.flatMap((part) => [...part.mask[b]!]));
    const joined = blocks.length === 1 ? blocks[0]! : tf.concat(blocks, 1);
    return { vectors: tf.reshape(joined, [this.size * mask[0]!.length, size]), mask };
  }
}
