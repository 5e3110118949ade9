// A decoder with an adapter merged into its weights: W + scaling * A B.
import * as tf from '@tensorflow/tfjs';
import type { LinearWeights } from '../ops/linear.js';
import { checkAdapterFits } from './adapter-fit.js';
import type { DecoderConfig } from './decoder-config.js';
import type { LayerWeights } from './decoder-layer.js';
import { Decoder } from './decoder.js';
import { joinedModules, type JoinedName } from './joined-modules.js';
import { loraKey, moduleShape, type LoraAdapter } from './lora.js';
import { FrozenEmbedding, TiedEmbedding } from './token-embedding.js';

/**
 * A new frozen decoder that computes without an adapter what `decoder` computes with it, in float32. Neither is changed,
 * and each can be disposed alone; weights that the adapter leaves as they are take no memory twice.
 * @throws MemGenError `adapter-shape` for an adapter of another model.
 */
export async function mergeAdapter(decoder: Decoder, adapter: LoraAdapter): Promise<Decoder> {
  const { config, weights } = decoder;
  checkAdapterFits(adapter, config);
  const table = config.tiedEmbeddings ? undefined : await weights.embedding.rows();
  const made: tf.Tensor[] = [];
  const own = <T extends tf.Tensor>(tensor: T): T => {
    made.push(tensor);
    return tensor;
  };
  try {
    const layers = weights.layers.map((layer, index) => mergedLayer(layer, { index, adapter, config, own }));
    const head = own(shared(weights.head));
    const embedding = table === undefined ? new TiedEmbedding(head) : new FrozenEmbedding(table, config.hiddenSize);
    return new Decoder(config, { embedding, layers, finalNorm: own(shared(weights.finalNorm)), head });
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
}

/**
 * A tensor with the same values, which are never written again (a variable that is assigned to takes others). Reshaping
 * shares them on every backend; cloning copies them on some.
 */
function shared<T extends tf.Tensor>(tensor: T): T {
  return tf.reshape(tensor, tensor.shape) as T;
}

interface Merging {
  index: number;
  adapter: LoraAdapter;
  config: DecoderConfig;
  /** Is shown every tensor that is made. */
  own: <T extends tf.Tensor>(tensor: T) => T;
}

function mergedLayer(layer: LayerWeights, merging: Merging): LayerWeights {
  const copy = <T extends tf.Tensor>(tensor: T): T => merging.own(shared(tensor));
  const matrix = (name: JoinedName): LinearWeights => {
    const { weight, bias } = layer[name];
    const change = changeOf(name, merging);
    const merged =
      change === undefined ? copy(weight) : merging.own(tf.tidy(() => tf.add<tf.Tensor2D>(weight, change())));
    return { weight: merged, ...(bias && { bias: copy(bias) }) };
  };
  return {
    attentionNorm: copy(layer.attentionNorm),
    queryKeyValue: matrix('queryKeyValue'),
    ...(layer.queryNorm && { queryNorm: copy(layer.queryNorm) }),
    ...(layer.keyNorm && { keyNorm: copy(layer.keyNorm) }),
    output: matrix('output'),
    feedForwardNorm: copy(layer.feedForwardNorm),
    gateUp: matrix('gateUp'),
    down: matrix('down'),
  };
}

/** What the adapter adds to a matrix `[in, out of all its modules]`; undefined for nothing. */
function changeOf(name: JoinedName, { index, adapter, config }: Merging): (() => tf.Tensor2D) | undefined {
  const modules = joinedModules[name].map((module) => ({
    found: adapter.modules.get(loraKey(index, module)),
    shape: moduleShape(config, module),
  }));
  if (modules.every(({ found }) => found === undefined)) return undefined;
  return () => {
    const parts = modules.map(({ found, shape: { input, output } }) =>
      found === undefined
        ? tf.zeros<tf.Rank.R2>([input, output])
        : tf.mul<tf.Tensor2D>(tf.matMul(found.a, found.b), found.scaling),
    );
    return tf.concat(parts, 1);
  };
}
