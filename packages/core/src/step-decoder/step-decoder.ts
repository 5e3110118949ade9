// A frozen decoder in WebAssembly memory, for passes over a few columns.
import { MemGenError } from '@memgen/common';
import { nativeKernels, type NativeKernels } from '../backend/native/native-kernels.js';
import { hostProduct } from '../backend/kernels/tensorflow/host-product.js';
import type { DecoderConfig } from '../model/decoder-config.js';
import type { Decoder } from '../model/decoder.js';
import type { KeyValueCache } from '../model/key-value-cache.js';
import type { LoraAdapter } from '../model/lora.js';
import { Arena, GrowingBlock } from './arena.js';
import { importKeysAndValues } from './import-cache.js';
import { createKernels, kernelModule, pageColumns, scoreRows, type Kernels, type SharedKernels } from './kernels.js';
import { LayerPass, passBytes, type Column } from './layer-pass.js';
import { pageLayout } from './page-layout.js';
import { PackedAdapter, packAdapter, type StepAdapter } from './step-adapter.js';
import { PagedCache, PagePool, type StepCache } from './step-cache.js';
import { checkCounts, checkThreads, requireHostProduct } from './step-checks.js';
import { controlBytes, defaultThreads, ThreadTeam } from './thread-team.js';
import { borrowWeights, copyWeights, mostWeightBytes, type StepWeights } from './step-weights.js';

/** Most columns that go through the layers together: with more, nothing is gained by reading each matrix once for all. */
const mostColumns = 256;

/** Where the matrices of a step decoder lie. */
export type MatrixSource = 'copied' | 'borrowed' | 'both';

/** Options of {@link StepDecoder.create}. */
export interface StepDecoderOptions {
  /**
   * - `"copied"`: matrices are copied, one at a time, as bfloat16 if that is exact; the decoder is not needed afterwards.
   * - `"borrowed"`: they stay with the backend, which multiplies by them: no second copy, slower for few columns and
   *   faster for many. The decoder must live as long. Only where {@link StepDecoder.borrows}: TensorFlow on the processor.
   * - `"both"`: copied ones multiply few columns, borrowed ones many.
   * @default "copied"
   */
  matrices?: MatrixSource | undefined;
  /**
   * Threads that share the products with copied matrices, this one among them. They sleep while nothing is read.
   * @default the processors, at most 8; 1 in a worker thread
   */
  threads?: number | undefined;
}

/** Options of {@link StepDecoder.read}. */
export interface StepReadOptions {
  /** Made by {@link StepDecoder.prepareAdapter} of the same step decoder. @default none */
  adapter?: StepAdapter | undefined;
  /** Columns at the end of each row that reads of which the cache keeps no trace. @default 0 */
  forget?: number | undefined;
  /** Columns at the end of each row that reads whose hidden states are wanted, all if it has fewer. @default all */
  last?: number | undefined;
}

interface StepParts {
  kernels: SharedKernels;
  native: NativeKernels | undefined;
  weights: StepWeights;
  threads: number;
}

/**
 * Runs the layers of a frozen decoder by kernels of its own, one call per product, without a tensor: a token takes about
 * as long as reading all weights once from memory. Long prompts are read faster by {@link Decoder.forward} on a backend with
 * threads, unless the engine joins vectors; {@link StepDecoder.importCache} takes over what that has read.
 */
export class StepDecoder {
  private readonly weights: StepWeights;
  private readonly threads: number;
  private readonly kernels: Kernels;
  private readonly team: ThreadTeam | undefined;
  private readonly layers: LayerPass;
  private readonly pool: PagePool;
  private readonly pageLists: GrowingBlock;
  private readonly scores: GrowingBlock;
  /** Final hidden states of the last read. */
  private readonly hidden: GrowingBlock;
  private readonly chosen: GrowingBlock;
  private readonly logitRows: GrowingBlock;
  private lastColumns = 0;
  /** Room of one thread for scores in the read that is going on. */
  private scoresBytes = 0;

  private constructor(
    readonly config: DecoderConfig,
    private readonly arena: Arena,
    { kernels, native, weights, threads }: StepParts,
  ) {
    this.weights = weights;
    this.threads = threads;
    if (threads > 1) {
      const control = arena.allocate(controlBytes);
      arena.words(control, controlBytes / 4).fill(0);
      this.team = new ThreadTeam(kernels, control, {
        module: kernelModule(),
        memory: arena.memory,
        threads,
        native,
      });
    }
    this.kernels = this.team?.kernels ?? kernels;
    this.layers = new LayerPass(config, weights, this.kernels, arena, mostColumns);
    this.pool = new PagePool(arena, pageLayout(config).pageBytes);
    this.pageLists = new GrowingBlock(arena);
    this.scores = new GrowingBlock(arena);
    this.hidden = new GrowingBlock(arena);
    this.chosen = new GrowingBlock(arena);
    this.logitRows = new GrowingBlock(arena);
  }

  /**
   * Takes the weights of a decoder.
   * @param decoder - with tensors on the current backend.
   * @throws MemGenError `step-decoder-threads`; `step-decoder-borrow` where the backend lends nothing;
   * `step-decoder-memory` when the weights do not fit into 4 GiB, before anything is allocated.
   */
  static async create(decoder: Decoder, options: StepDecoderOptions = {}): Promise<StepDecoder> {
    const { matrices = 'copied', threads = defaultThreads() } = options;
    checkThreads(threads);
    const { config } = decoder;
    const arena = new Arena();
    const native = nativeKernels();
    const kernels = createKernels(arena.memory, native);
    const weights =
      matrices === 'borrowed'
        ? await borrowWeights(decoder, arena, requireHostProduct())
        : await copyWeights(decoder, arena, {
            otherBytes: passBytes(config, mostColumns),
            product: matrices === 'both' ? requireHostProduct() : undefined,
          });
    return new StepDecoder(config, arena, { kernels, native, weights, threads });
  }

  /** Whether the current backend lends its matrices. */
  static borrows(): boolean {
    return hostProduct() !== undefined;
  }

  /** Most bytes of WebAssembly memory that copied matrices take: half of that where all weights are bfloat16. */
  static memoryNeeded(config: DecoderConfig): number {
    return mostWeightBytes(config) + passBytes(config, mostColumns);
  }

  /** Bytes of WebAssembly memory in use; 0 when disposed. */
  get memoryBytes(): number {
    return this.arena.usedBytes;
  }

  /** An empty cache. */
  createCache(rows: number): StepCache {
    if (!Number.isInteger(rows) || rows < 0) {
      throw new MemGenError({
        code: 'step-decoder-input',
        message: 'a cache has a whole number of rows',
        got: String(rows),
      });
    }
    return new PagedCache(this.pool, rows);
  }

  /**
   * Takes over what a {@link Decoder} has read, real columns only: padding takes no room here.
   * @param cache - a merged cache; it stays as it is.
   * @throws MemGenError `step-decoder-cache` for a cache in parts or of another model, `step-decoder-memory`.
   */
  async importCache(cache: KeyValueCache): Promise<StepCache> {
    const result = new PagedCache(this.pool, cache.columns.batch);
    try {
      await importKeysAndValues(cache, this.config, this.arena, result);
    } catch (error) {
      result.dispose();
      throw error;
    }
    return result;
  }

  /**
   * Copies an adapter as it is now; a read with it computes W x + scaling * B (A x). Any number of adapters can be there
   * at once, each read takes one or none.
   * @param adapter - with tensors on any backend; it is not needed afterwards.
   * @throws MemGenError `adapter-shape` for an adapter of another model, `step-decoder-memory`.
   */
  prepareAdapter(adapter: LoraAdapter): Promise<StepAdapter> {
    return packAdapter(adapter, { config: this.config, arena: this.arena, columns: mostColumns });
  }

  /**
   * Reads new columns. Row b reads `counts[b]` columns (0 is fine); positions go on from its length. A column attends to
   * its own row up to itself.
   * @param inputs - input vectors `[sum(counts), hidden]`, row after row.
   * @returns final hidden states after the last norm of the wanted columns, `[sum(min(counts, last)) * hidden]`: a view
   * that holds until the next call.
   * @throws MemGenError `step-decoder-input`, `step-decoder-cache`, `step-decoder-adapter`, `step-decoder-memory` (all
   * before anything is read).
   */
  read(
    inputs: Float32Array,
    counts: readonly number[],
    cache: StepCache,
    { adapter, forget = 0, last = Infinity }: StepReadOptions = {},
  ): Float32Array {
    const { hiddenSize } = this.config;
    const own = this.checkCache(cache);
    const ownAdapter = this.checkAdapter(adapter);
    const total = checkCounts(counts, own.lengths.length);
    if (inputs.length !== total * hiddenSize) {
      throw new MemGenError({
        code: 'step-decoder-input',
        message: 'the inputs do not have the size that the counts say',
        got: `${inputs.length} numbers`,
        expected: `${total} columns of ${hiddenSize}`,
      });
    }
    if (!(last >= 1)) {
      throw new MemGenError({
        code: 'step-decoder-input',
        message: 'at least one hidden state of each row is wanted',
        got: `last: ${last}`,
        expected: '1 or more',
      });
    }
    own.reserve(counts);
    const wanted = counts.reduce((sum, count) => sum + Math.min(count, last), 0);
    this.hidden.reserve(4 * wanted * hiddenSize);
    const columns = this.prepareColumns(own, counts, last);
    let done = 0;
    for (let first = 0; first < total; first += mostColumns) {
      const block = columns.slice(first, first + mostColumns);
      const vectors = inputs.subarray(first * hiddenSize, (first + block.length) * hiddenSize);
      done += this.layers.run(vectors, block, {
        output: this.hidden.address + 4 * done * hiddenSize,
        scores: this.scores.address,
        scoresBytes: this.scoresBytes,
        adapter: ownAdapter,
      });
    }
    own.advance(counts.map((count) => Math.max(0, count - forget)));
    this.lastColumns = wanted;
    return this.arena.floats(this.hidden.address, wanted * hiddenSize);
  }

  /**
   * Logits of columns of the last {@link StepDecoder.read}.
   * @param places - among the columns whose hidden states it gave.
   * @returns `[places.length * vocabulary]`: a view that holds until the next call.
   */
  logits(places: readonly number[]): Float32Array {
    const { arena, lastColumns } = this;
    const { hiddenSize, vocabularySize } = this.config;
    const bad = places.find((place) => !Number.isInteger(place) || place < 0 || place >= lastColumns);
    if (bad !== undefined) {
      throw new MemGenError({
        code: 'step-decoder-input',
        message: 'there is no such column in the last read',
        got: String(bad),
        expected: lastColumns === 0 ? 'columns to be read first' : `0 to ${lastColumns - 1}`,
      });
    }
    this.chosen.reserve(4 * places.length * hiddenSize);
    this.logitRows.reserve(4 * places.length * vocabularySize);
    const hidden = arena.floats(this.hidden.address, lastColumns * hiddenSize);
    const chosen = arena.floats(this.chosen.address, places.length * hiddenSize);
    places.forEach((place, i) => {
      chosen.set(hidden.subarray(place * hiddenSize, (place + 1) * hiddenSize), i * hiddenSize);
    });
    this.weights.head.multiply(this.kernels, this.chosen.address, places.length, this.logitRows.address);
    return arena.floats(this.logitRows.address, places.length * vocabularySize);
  }

  /** Embeddings of tokens, `[ids.length * hidden]`. @throws MemGenError `token-id` for an id outside the vocabulary. */
  embed(ids: readonly number[]): Float32Array {
    const { vocabularySize } = this.config;
    this.arena.checkOpen();
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
    if (bad !== undefined) {
      throw new MemGenError({
        code: 'token-id',
        message: 'a token id lies outside the vocabulary',
        got: String(bad),
        expected: `0 to ${vocabularySize - 1}`,
        hint: 'check that the tokenizer belongs to the model',
      });
    }
    return ids.length === 0 ? new Float32Array(0) : this.weights.embed(ids);
  }

  /** Lets the memory go, with the memory of all caches and adapters. */
  dispose(): void {
    this.team?.dispose();
    this.arena.dispose();
  }

  /** Writes the lists of pages for the kernels, and says of each new column where it belongs. */
  private prepareColumns(cache: PagedCache, counts: readonly number[], last: number): Column[] {
    const { lengths } = cache;
    const pages = counts.map((count, row) => (count === 0 ? [] : cache.pages(row)));
    this.pageLists.reserve(4 * pages.flat().length);
    const { heads, keyValueHeads } = this.config;
    const group = heads / keyValueHeads;
    this.scoresBytes = 4 * scoreRows(group) * pageColumns * Math.max(0, ...pages.map((list) => list.length));
    this.scores.reserve(this.scoresBytes * this.threads);
    this.layers.rotary.reserve(Math.max(0, ...lengths.map((length, row) => length + counts[row]!)));
    this.arena.words(this.pageLists.address, pages.flat().length).set(pages.flat());
    let pageList = this.pageLists.address;
    return counts.flatMap((count, row) => {
      const list = pageList;
      const length = lengths[row]! + count;
      pageList += 4 * pages[row]!.length;
      return Array.from({ length: count }, (_, i): Column => {
        const position = lengths[row]! + i;
        const page = pages[row]![Math.floor(position / pageColumns)]!;
        return { pageList: list, page, position, length, wanted: i >= count - last };
      });
    });
  }

  private checkCache(cache: StepCache): PagedCache {
    if (cache instanceof PagedCache && cache.pool === this.pool) return cache;
    throw new MemGenError({
      code: 'step-decoder-cache',
      message: 'the cache belongs to another step decoder',
      hint: 'use a cache that createCache() or importCache() of this one has made',
    });
  }

  private checkAdapter(adapter: StepAdapter | undefined): PackedAdapter | undefined {
    if (adapter === undefined) return undefined;
    if (adapter instanceof PackedAdapter && adapter.arena === this.arena) {
      adapter.checkOpen();
      return adapter;
    }
    throw new MemGenError({
      code: 'step-decoder-adapter',
      message: 'the adapter was prepared by another step decoder',
      hint: 'use an adapter that prepareAdapter() of this one has made',
    });
  }
}
