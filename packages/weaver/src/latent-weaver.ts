// The weaver of the MemGen paper: a LoRA view of a causal language model, learned queries, and projections.
import type { Random } from '@memgen/common';
import {
  checkVectors,
  eager,
  joinVectors,
  layerNorm,
  linear,
  LoraAdapter,
  packRows,
  runOne,
  SessionRows,
  unpackRows,
  valuesOf,
  type Decoder,
  type Execution,
  type InferenceOptions,
  type InferenceReader,
  type KeyValueCache,
  type LatentKind,
  type LinearWeights,
  type LoraConfig,
  type MaskRow,
  type RowVectors,
  type Weaver,
  type WeaverInference,
  type WeaverSession,
  type WeaverSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Alignment } from './alignment.js';
import {
  initializeParameters,
  namedParameters,
  type InitializationStyle,
  type WeaverParameters,
} from './weaver-parameters.js';
import { readOfficialWeaver, readWeaverFiles, writeWeaverFiles } from './weaver-files.js';

export interface LatentWeaverConfig {
  /** Latents woven in after the prompt. @default 8 */
  promptLatents?: number;
  /** Latents woven in at each later point. @default 8 */
  inferenceLatents?: number;
  lora: LoraConfig;
  /** @default "reference" */
  initialization?: InitializationStyle;
  /** Needed for the initialization `"aligned"`; see `alignmentTo`. */
  alignment?: Alignment;
}

/**
 * arXiv 2509.24704, section 3.2: `K` query vectors stand behind the projected input vectors of the reasoner; the adapted
 * language model's final hidden states at the queries, projected back, are the latents. It differs from Eq. 5 as the
 * reference code does: input vectors, not hidden states, are what it reads. The base model may be the reasoner's own
 * decoder (its weights are shared, never copied) or another one.
 */
export class LatentWeaver implements Weaver {
  constructor(
    /** Base model of the weaver; frozen, not owned. */
    readonly base: Decoder,
    readonly adapter: LoraAdapter,
    readonly weights: WeaverParameters,
  ) {}

  /** A new, untrained weaver. @param reasonerHidden - hidden size of the reasoner it will serve. */
  static initialize(base: Decoder, reasonerHidden: number, config: LatentWeaverConfig, random: Random): LatentWeaver {
    const { promptLatents = 8, inferenceLatents = 8, lora, initialization = 'reference', alignment } = config;
    const adapter = LoraAdapter.initialize(base.config, lora, random.fork('lora'));
    const weaverHidden = base.config.hiddenSize;
    const sizes = { reasonerHidden, weaverHidden, promptLatents, inferenceLatents, style: initialization, alignment };
    try {
      return new LatentWeaver(base, adapter, initializeParameters(sizes, random.fork('weaver')));
    } catch (error) {
      adapter.dispose();
      throw error;
    }
  }

  /**
   * Reads a weaver that {@link LatentWeaver.save} wrote, strictly.
   * @param base - the model that it adapts; frozen and shared.
   * @throws MemGenError for files that are damaged, incomplete or of another base model.
   */
  static async load(folder: string, base: Decoder): Promise<LatentWeaver> {
    const { adapter, weights } = await readWeaverFiles(folder, base);
    return new LatentWeaver(base, adapter, weights);
  }

  /**
   * Reads the weaver of a checkpoint folder of the official PyTorch code, its adapter included (which the official loader
   * drops), strictly.
   * @throws MemGenError as {@link LatentWeaver.load}.
   */
  static async loadOfficial(folder: string, base: Decoder): Promise<LatentWeaver> {
    const { adapter, weights } = await readOfficialWeaver(folder, base);
    return new LatentWeaver(base, adapter, weights);
  }

  get latentCounts(): Readonly<Record<LatentKind, number>> {
    return { prompt: this.weights.prompt.queries.shape[0], inference: this.weights.inference.queries.shape[0] };
  }

  /** Names as in the reference's weaver.bin and projs.bin; adapters as `layers.0.self_attn.q_proj.lora_A`. */
  parameters(): Map<string, tf.Variable> {
    return new Map([...namedParameters(this.weights), ...this.adapter.parameters()]);
  }

  begin(options: WeaverSessionOptions): WeaverSession {
    return new LatentWeaverSession(this, options);
  }

  beginInference(options: InferenceOptions): WeaverInference {
    return new LatentWeaverInference(this, options);
  }

  /**
   * Whether training has changed its adapter: a new one's `lora_B` is zero, and the first update moves it. Read off the
   * values, so it holds for files of any origin.
   */
  async isTrained(): Promise<boolean> {
    for (const { b } of this.adapter.modules.values()) {
      if ((await b.data<'float32'>()).some((value) => value !== 0)) return true;
    }
    return false;
  }

  /** Of the same sizes and adapter settings, drawn by the initialization `"reference"`. */
  untrained(random: Random): LatentWeaver {
    const { prompt, inference } = this.latentCounts;
    const config = { promptLatents: prompt, inferenceLatents: inference, lora: this.adapter.config };
    return LatentWeaver.initialize(this.base, this.weights.reasonerToWeaver.weight.shape[0], config, random);
  }

  save(folder: string): Promise<void> {
    return writeWeaverFiles(folder, this);
  }

  dispose(): void {
    this.adapter.dispose();
    for (const variable of this.parameters().values()) if (!variable.isDisposed) variable.dispose();
  }
}

/** Reads columns once, keeps their keys and values, and lets the queries of each call attend to them. */
class LatentWeaverSession implements WeaverSession {
  private cache: KeyValueCache;
  private readonly execution: Execution;
  private readonly rows: SessionRows;
  private calls = 0;

  constructor(
    private readonly weaver: LatentWeaver,
    private readonly options: WeaverSessionOptions,
  ) {
    this.rows = new SessionRows(options);
    this.execution = options.execution ?? eager;
    this.cache = weaver.base.createCache(options.batch, options.ownership ?? 'merged');
  }

  weave(kind: LatentKind, embeddings: tf.Tensor2D, mask: readonly MaskRow[]): tf.Tensor2D {
    const { base, adapter, weights } = this.weaver;
    const { queries, normWeight, normBias, scale } = weights[kind];
    const { reasonerToWeaver, weaverToReasoner } = weights;
    const columns = this.rows.read(mask);
    const batch = mask.length;
    checkVectors(embeddings, batch * columns, reasonerToWeaver.weight.shape[0]);
    const count = queries.shape[0];
    const size = base.config.hiddenSize;

    const input = runOne(
      this.execution,
      ([embeddings]) => {
        const projected = tf.reshape(linear(embeddings as tf.Tensor2D, reasonerToWeaver), [batch, columns, size]);
        const query = queryVectors(weights[kind]);
        const repeated = tf.tile(tf.reshape(query, [1, count, size]), [batch, 1, 1]);
        return tf.reshape(tf.concat([projected, repeated], 1), [batch * (columns + count), size]) as tf.Tensor2D;
      },
      [embeddings],
      [reasonerToWeaver.weight, reasonerToWeaver.bias, queries, normWeight, normBias, scale],
    );
    const { dropoutSeed } = this.options;
    const hidden = base.forward(
      input,
      mask.map((row) => [...row, ...Array.from({ length: count }, () => 1)]),
      {
        cache: this.cache,
        keep: columns,
        last: count,
        adapter: {
          adapter,
          // Each call drops other units.
          ...(dropoutSeed !== undefined && { dropoutSeed: dropoutSeed + 1_000_003 * this.calls }),
        },
        execution: this.execution,
      },
    );
    this.calls++;
    return runOne(
      this.execution,
      ([hidden]) => linear(hidden as tf.Tensor2D, weaverToReasoner),
      [hidden],
      [weaverToReasoner.weight, weaverToReasoner.bias],
    );
  }

  select(rows: readonly number[]): void {
    this.rows.select(rows);
    const old = this.cache;
    this.cache = old.select(rows);
    old.dispose();
  }

  dispose(): void {
    this.cache.dispose();
  }
}

/** What stands behind the columns, `[K, hidden]`. */
function queryVectors({ queries, normWeight, normBias, scale }: WeaverParameters[LatentKind]): tf.Tensor2D {
  return tf.mul(layerNorm(queries, normWeight, normBias), scale);
}

/** The same while text is generated: rows read what they have, by whatever reads the base model fastest. */
class LatentWeaverInference implements WeaverInference {
  private readonly reader: InferenceReader;

  constructor(
    private readonly weaver: LatentWeaver,
    { rows, open }: InferenceOptions,
  ) {
    this.reader = open(weaver.base, { rows, adapter: weaver.adapter });
  }

  async weave(kind: LatentKind, vectors: RowVectors): Promise<(Float32Array | undefined)[]> {
    const { weights } = this.weaver;
    const { reasonerToWeaver, weaverToReasoner } = weights;
    const [reasonerHidden, size] = reasonerToWeaver.weight.shape;
    const count = this.weaver.latentCounts[kind];
    const project = async (rows: RowVectors, layer: LinearWeights) => {
      const all = packRows(rows);
      const inputs = layer.weight.shape[0];
      return valuesOf(() => linear(tf.tensor2d(all, [all.length / inputs, inputs]), layer));
    };
    const columns = unpackRows(
      await project(vectors, reasonerToWeaver),
      vectors.map((row) => row && (row.length / reasonerHidden) * size),
    );
    const queries = await valuesOf(() => queryVectors(weights[kind]));
    const hidden = await this.reader.hidden(
      columns.map((row) => row && joinVectors([row, queries])),
      { last: count, forget: count },
    );
    return unpackRows(
      await project(hidden, weaverToReasoner),
      hidden.map((row) => row && count * reasonerHidden),
    );
  }

  select(rows: readonly number[]): void {
    this.reader.select(rows);
  }

  dispose(): void {
    this.reader.dispose();
  }
}
