// The trigger of the MemGen paper: a LoRA view of a causal language model with a head of two classes.
import { MemGenError, type Random } from '@memgen/common';
import {
  eager,
  linear,
  LoraAdapter,
  packRows,
  runOne,
  SessionRows,
  unpackRows,
  valuesOf,
  type Decoder,
  type InferenceOptions,
  type InferenceReader,
  type KeyValueCache,
  type LoraConfig,
  type MaskRow,
  type Trigger,
  type TriggerInference,
  type TriggerSession,
  type TriggerSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { OutputLayer } from './output-layer.js';
import { readOfficialTrigger, readTriggerFiles, writeTriggerFiles } from './trigger-files.js';

export interface TriggerConfig {
  lora: LoraConfig;
}

/**
 * arXiv 2509.24704, section 3.3: reads the text as token ids (no latents) and answers at each token with two logits,
 * class 1 for "weave". The base model may be the reasoner's own decoder: its weights are shared, never copied.
 */
export class LanguageModelTrigger implements Trigger {
  constructor(
    /** Base model of the trigger; frozen, not owned. */
    readonly base: Decoder,
    readonly adapter: LoraAdapter,
    readonly output: OutputLayer,
  ) {}

  /** A new, untrained trigger: the adapter changes nothing yet, the head is drawn uniformly in +-1/sqrt(hidden). */
  static initialize(base: Decoder, { lora }: TriggerConfig, random: Random): LanguageModelTrigger {
    const adapter = LoraAdapter.initialize(base.config, lora, random.fork('lora'));
    const size = base.config.hiddenSize;
    const bound = 1 / Math.sqrt(size);
    const uniform = (name: string, count: number) => {
      const stream = random.fork(name);
      return Float32Array.from({ length: count }, () => (stream.float() * 2 - 1) * bound);
    };
    return new LanguageModelTrigger(base, adapter, {
      weight: tf.tidy(() => tf.variable(tf.tensor2d(uniform('output_layer.weight', 2 * size), [size, 2]))),
      bias: tf.tidy(() => tf.variable(tf.tensor1d(uniform('output_layer.bias', 2)))),
    });
  }

  /**
   * Reads a trigger that {@link LanguageModelTrigger.save} wrote, strictly.
   * @param base - the model that it adapts; frozen and shared.
   * @throws MemGenError for files that are damaged, incomplete or of another base model.
   */
  static async load(folder: string, base: Decoder): Promise<LanguageModelTrigger> {
    const { adapter, output } = await readTriggerFiles(folder, base);
    return new LanguageModelTrigger(base, adapter, output);
  }

  /**
   * Reads the trigger of a checkpoint folder of the official PyTorch code, its adapter included, strictly.
   * @throws MemGenError as {@link LanguageModelTrigger.load}.
   */
  static async loadOfficial(folder: string, base: Decoder): Promise<LanguageModelTrigger> {
    const { adapter, output } = await readOfficialTrigger(folder, base);
    return new LanguageModelTrigger(base, adapter, output);
  }

  /** The head under the names of the reference's trigger.bin; adapters as `layers.0.self_attn.q_proj.lora_A`. */
  parameters(): Map<string, tf.Variable> {
    return new Map<string, tf.Variable>([
      ['output_layer.weight', this.output.weight],
      ['output_layer.bias', this.output.bias],
      ...this.adapter.parameters(),
    ]);
  }

  begin(options: TriggerSessionOptions): TriggerSession {
    return new LanguageModelTriggerSession(this, options);
  }

  beginInference(options: InferenceOptions): TriggerInference {
    return new LanguageModelTriggerInference(this, options);
  }

  save(folder: string): Promise<void> {
    return writeTriggerFiles(folder, this);
  }

  dispose(): void {
    this.adapter.dispose();
    tf.dispose([this.output.weight, this.output.bias]);
  }
}

class LanguageModelTriggerSession implements TriggerSession {
  private cache: KeyValueCache;
  private readonly rows: SessionRows;

  constructor(
    private readonly trigger: LanguageModelTrigger,
    private readonly options: TriggerSessionOptions,
  ) {
    this.rows = new SessionRows(options);
    this.cache = trigger.base.createCache(options.batch, options.ownership ?? 'merged');
  }

  judge(ids: readonly (readonly number[])[], mask: readonly MaskRow[]): tf.Tensor2D {
    const columns = this.rows.read(mask);
    if (ids.length !== mask.length || ids.some((row) => row.length !== columns)) {
      throw new MemGenError({
        code: 'session-columns',
        message: 'ids and mask of a batch must have the same shape',
        got: `rows of ${ids.map((row) => row.length).join(', ')} ids`,
        expected: `${mask.length} rows of ${columns}`,
      });
    }
    const { base, adapter, output } = this.trigger;
    const { execution = eager, dropoutSeed } = this.options;
    const [embeddings] = execution.constants(() => [base.embed(ids.flat())]);
    const hidden = base.forward(embeddings as tf.Tensor2D, mask, {
      cache: this.cache,
      adapter: { adapter, ...(dropoutSeed !== undefined && { dropoutSeed }) },
      execution,
    });
    return runOne(
      execution,
      ([hidden]) => linear(hidden as tf.Tensor2D, output),
      [hidden],
      [output.weight, output.bias],
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

/** The same while text is generated: rows read what they have, by whatever reads the base model fastest. */
class LanguageModelTriggerInference implements TriggerInference {
  private readonly reader: InferenceReader;

  constructor(
    private readonly trigger: LanguageModelTrigger,
    { rows, open }: InferenceOptions,
  ) {
    this.reader = open(trigger.base, { rows, adapter: trigger.adapter });
  }

  async judge(ids: readonly (readonly number[] | undefined)[]): Promise<(Float32Array | undefined)[]> {
    const { hiddenSize } = this.trigger.base.config;
    const vectors = unpackRows(
      await this.reader.embed(ids.flatMap((row) => row ?? [])),
      ids.map((row) => row && row.length * hiddenSize),
    );
    const hidden = await this.reader.hidden(vectors);
    const all = packRows(hidden);
    const logits = await valuesOf(() =>
      linear(tf.tensor2d(all, [all.length / hiddenSize, hiddenSize]), this.trigger.output),
    );
    return unpackRows(
      logits,
      hidden.map((row) => row && 2),
    );
  }

  select(rows: readonly number[]): void {
    this.reader.select(rows);
  }

  dispose(): void {
    this.reader.dispose();
  }
}
