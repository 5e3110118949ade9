// The decoder: embeddings, layers, final norm and head of a causal language model.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { rmsNorm } from '../ops/rms-norm.js';
import { halfTurnMatrix } from '../ops/rotary.js';
import { isTrainable } from '../ops/trainable.js';
import { eager, runOne, type Execution, type Linearized } from '../training/execution.js';
import { AttentionColumns, rotaryFactors, type MaskRow } from './attention-columns.js';
import type { DecoderConfig } from './decoder-config.js';
import { linearizeLayer, type LayerContext, type LayerWeights } from './decoder-layer.js';
import { KeyValueCache } from './key-value-cache.js';
import { adapterPasses, type AdapterPasses } from './projection.js';
import type { TokenEmbedding } from './token-embedding.js';

export interface DecoderWeights {
  embedding: TokenEmbedding;
  layers: LayerWeights[];
  finalNorm: tf.Tensor1D;
  /** `[hidden, vocabulary]` */
  head: tf.Tensor2D;
}

export interface DecoderForwardOptions {
  /** Earlier columns; extended by this call. */
  cache: KeyValueCache;
  /** Only the first `keep` new columns enter the cache (query latents do not). @default all */
  keep?: number;
  /** Columns at the end of each row whose hidden states are wanted, 1 to all. @default all */
  last?: number;
  /** One, or several whose contributions add up. @default none */
  adapter?: AdapterPasses | undefined;
  /** @default eager */
  execution?: Execution;
}

/** A causal language model of the Llama family. Owns its weights; adapters are views handed to each call. */
export class Decoder {
  private readonly halfTurn: tf.Tensor2D;
  private readonly atDisposal: (() => void)[] = [];

  constructor(
    readonly config: DecoderConfig,
    readonly weights: DecoderWeights,
  ) {
    this.halfTurn = halfTurnMatrix(config.headSize);
  }

  /** Embeddings of tokens, `[ids.length, hidden]`. */
  embed(ids: readonly number[]): tf.Tensor2D {
    return this.weights.embedding.lookup(ids);
  }

  /** An empty cache. */
  createCache(batch: number, ownership: 'merged' | 'parts' = 'merged'): KeyValueCache {
    return new KeyValueCache(this.config.layers, new AttentionColumns(batch), ownership);
  }

  /**
   * Reads new columns of a batch. Results belong to the caller's scope (eager) or to the execution's tape.
   * @param inputs - input vectors `[batch * tokens, hidden]`.
   * @param mask - one row of 0 and 1 per batch row, `tokens` long; fewer rows than the cache has (in parts) mean that its
   *   last rows take no further part.
   * @returns final hidden states after the last norm, `[batch * last, hidden]`.
   * @throws MemGenError `decoder-input` for more hidden states than columns, or none, before anything is read.
   */
  forward(
    inputs: tf.Tensor2D,
    mask: readonly MaskRow[],
    { cache, keep, last, adapter, execution = eager }: DecoderForwardOptions,
  ): tf.Tensor2D {
    const { config, weights } = this;
    const batch = mask.length;
    const tokens = mask[0]!.length;
    const kept = keep ?? tokens;
    if (last !== undefined && !(last >= 1 && last <= tokens)) {
      throw new MemGenError({
        code: 'decoder-input',
        message: 'hidden states of other columns are wanted than are read',
        got: `last: ${last}`,
        expected: `1 to ${tokens}`,
      });
    }
    const positions = cache.columns.append(mask);
    const [cos, sin, bias] = execution.constants(() => {
      const { cos, sin } = rotaryFactors(positions, config.rotary, this.halfTurn);
      return [cos, sin, cache.columns.bias(tokens)].filter((tensor) => tensor !== undefined);
    }) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D | undefined];
    const factors = { cos, sin, halfTurn: this.halfTurn };
    const merged = cache.ownership === 'merged' && kept === tokens;

    let hidden = inputs;
    weights.layers.forEach((layerWeights, layer) => {
      const context: Omit<LayerContext, 'differentiated'> = {
        config,
        layer,
        batch,
        tokens,
        factors,
        bias,
        adapter,
        last: layer === config.layers - 1 ? last : undefined,
      };
      const { keys, values } = cache.layer(layer);
      const past = keys.length;
      const [output, key, value] = execution.run(
        {
          linearize: (tensors, differentiated) =>
            linearizeWithCache(tensors, past, layerWeights, { ...context, differentiated }, merged ? 'all' : kept),
        },
        [hidden, ...keys, ...values],
        [
          ...layerParameters(layerWeights),
          ...adapterPasses(adapter).flatMap((pass) => pass.adapter.layerParameters(layer)),
        ],
      ) as [tf.Tensor2D, tf.Tensor4D, tf.Tensor4D];
      if (merged) cache.replace(layer, key, value);
      else if (kept > 0) cache.append(layer, key, value);
      hidden = output;
    });
    if (kept < tokens) cache.columns.drop(tokens - kept);
    const norm = weights.finalNorm;
    return runOne(
      execution,
      ([x]) => rmsNorm(x!, norm, config.rmsNormEpsilon) as tf.Tensor2D,
      [hidden],
      isTrainable(norm) ? [norm] : [],
    );
  }

  /** `[rows, hidden] -> [rows, vocabulary]`. */
  logits(hidden: tf.Tensor2D): tf.Tensor2D {
    return tf.matMul(hidden, this.weights.head);
  }

  /** What was made from these weights can go when they go. */
  onDispose(action: () => void): void {
    this.atDisposal.push(action);
  }

  dispose(): void {
    for (const action of this.atDisposal.splice(0)) action();
    const { layers, finalNorm, head, embedding } = this.weights;
    for (const layer of layers) tf.dispose(layerTensors(layer));
    tf.dispose([finalNorm, head, this.halfTurn]);
    if ('weight' in embedding && embedding.weight instanceof tf.Variable) embedding.weight.dispose();
  }
}

/**
 * A layer as a piece: inputs are the hidden states, then the cached keys, then the cached values. Its results are the
 * hidden states, and keys and values of all columns or of the first new ones.
 */
function linearizeWithCache(
  [hidden, ...cached]: readonly tf.Tensor[],
  past: number,
  weights: LayerWeights,
  context: LayerContext,
  columns: 'all' | number,
): Linearized {
  const parts = cached as tf.Tensor4D[];
  const { batch, tokens } = context;
  const layer = linearizeLayer(
    {
      hidden: hidden as tf.Tensor2D,
      pastKeys: parts.slice(0, past).map((part) => firstRows(part, batch)),
      pastValues: parts.slice(past).map((part) => firstRows(part, batch)),
    },
    weights,
    context,
  );
  const { outputs, saved } = layer;
  if (columns === 'all') {
    return { outputs: [outputs.hidden, outputs.keys, outputs.values], saved, pullback: refusePullback };
  }
  return {
    outputs: [outputs.hidden, firstColumns(outputs.key, columns), firstColumns(outputs.value, columns)],
    saved,
    pullback: ([dHidden, dKey, dValue], collect) => {
      const gradients = layer.pullback(
        {
          hidden: dHidden as tf.Tensor2D | undefined,
          key: padAxis(dKey as tf.Tensor4D | undefined, 2, tokens),
          value: padAxis(dValue as tf.Tensor4D | undefined, 2, tokens),
        },
        collect,
      );
      const dParts = [...gradients.pastKeys, ...gradients.pastValues];
      return [gradients.hidden, ...dParts.map((part, i) => padAxis(part, 0, parts[i]!.shape[0]))];
    },
  };
}

function refusePullback(): never {
  throw new MemGenError({
    code: 'cache-ownership',
    message: 'no gradient flows through a merged cache',
    hint: 'create the cache with the ownership "parts" for training',
  });
}

/** Rows that still take part, of a cached part that was made while more did. */
function firstRows(x: tf.Tensor4D, count: number): tf.Tensor4D {
  if (count === x.shape[0]) return x;
  return tf.slice(x, [0, 0, 0, 0], [count, x.shape[1], x.shape[2], x.shape[3]]);
}

function firstColumns(x: tf.Tensor4D, count: number): tf.Tensor4D {
  if (count === x.shape[2]) return x;
  return tf.slice(x, [0, 0, 0, 0], [x.shape[0], x.shape[1], count, x.shape[3]]);
}

/** Fills up with zeros to `size` along an axis: the gradient of taking the first rows or columns. */
function padAxis(x: tf.Tensor4D | undefined, axis: number, size: number): tf.Tensor4D | undefined {
  if (x === undefined || x.shape[axis] === size) return x;
  return tf.pad(
    x,
    x.shape.map((count, i) => [0, i === axis ? size - count : 0]),
  );
}

/** All tensors of a layer. */
export function layerTensors(layer: LayerWeights): tf.Tensor[] {
  const linears = [layer.queryKeyValue, layer.output, layer.gateUp, layer.down];
  const norms = [layer.attentionNorm, layer.feedForwardNorm, layer.queryNorm, layer.keyNorm];
  return [
    ...linears.flatMap(({ weight, bias, bfloat16, transposed }) => [weight, bias, bfloat16, transposed]),
    ...norms,
  ].filter((tensor) => tensor !== undefined);
}

function layerParameters(layer: LayerWeights): tf.Variable[] {
  return layerTensors(layer).filter(isTrainable);
}
