// Weights of a decoder: read from a checkpoint (frozen), made new (trainable), and written back under Hugging Face names.
import { MemGenError, type Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { TensorSource } from '../formats/tensor-source.js';
import type { LinearWeights } from '../ops/linear.js';
import { isTrainable } from '../ops/trainable.js';
import { ArrayBin, upload } from './array-bin.js';
import type { DecoderConfig } from './decoder-config.js';
import type { LayerWeights } from './decoder-layer.js';
import type { DecoderWeights } from './decoder.js';
import { joinedModules, joinedNames, type JoinedName } from './joined-modules.js';
import { moduleShape } from './lora.js';
import { FrozenEmbedding, TiedEmbedding, TrainedEmbedding } from './token-embedding.js';
import { transposeInto } from './transpose.js';

/** A tensor under its Hugging Face name, `[out, in]` for projections. */
export interface NamedTensor {
  name: string;
  shape: number[];
  data: Float32Array;
}

function hasBias(config: DecoderConfig, name: JoinedName): boolean {
  if (name === 'queryKeyValue') return config.queryKeyValueBias;
  return name === 'output' ? config.outputBias : config.feedForwardBias;
}

/** Reads frozen weights. @throws MemGenError `model-tensor` naming a missing tensor or one of the wrong shape. */
export async function loadDecoderWeights(source: TensorSource, config: DecoderConfig): Promise<DecoderWeights> {
  const made: tf.Tensor[] = [];
  const bin = await ArrayBin.open();
  try {
    return await readWeights(source, config, bin, (tensor) => {
      made.push(tensor);
      upload(tensor);
      return tensor;
    });
  } catch (error) {
    tf.dispose(made);
    throw error;
  } finally {
    bin.close();
  }
}

/** @param own - is shown every tensor that is made. */
async function readWeights(
  source: TensorSource,
  config: DecoderConfig,
  bin: ArrayBin,
  own: <T extends tf.Tensor>(tensor: T) => T,
): Promise<DecoderWeights> {
  const check = (name: string, shape: readonly number[]): void => {
    const info = source.tensors.get(name);
    if (info === undefined) {
      throw new MemGenError({
        code: 'model-tensor',
        message: 'the checkpoint lacks a tensor that config.json asks for',
        where: name,
        hint: 'check that config.json and the weight files belong together',
      });
    }
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
      throw new MemGenError({
        code: 'model-tensor',
        message: 'a tensor does not have the shape that config.json asks for',
        where: name,
        got: `[${info.shape.join(', ')}]`,
        expected: `[${shape.join(', ')}]`,
      });
    }
  };
  const read = async (name: string, shape: readonly number[]): Promise<Float32Array> => {
    check(name, shape);
    return source.readFloat32(name);
  };
  const norm = async (name: string, size: number) => own(tf.tensor1d(await read(name, [size])));

  const { hiddenSize, vocabularySize, headSize } = config;
  // The largest tensors first, while there is room for their copies.
  const table = (name: string) => read(name, [vocabularySize, hiddenSize]);
  const headTable = await table(config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  const headValues = ArrayBin.array(headTable.length);
  transposeInto(headTable, vocabularySize, hiddenSize, headValues, vocabularySize, 0);
  bin.drop(headTable);
  const head = own(tf.tensor2d(headValues, [hiddenSize, vocabularySize]));
  bin.dropUploaded(headValues, head);
  const embedding = config.tiedEmbeddings
    ? new TiedEmbedding(head)
    : new FrozenEmbedding(await table('model.embed_tokens.weight'), hiddenSize);
  const layers: LayerWeights[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}.`;
    const projection = async (name: JoinedName): Promise<LinearWeights> => {
      const shapes = joinedModules[name].map((module) => ({ module, ...moduleShape(config, module) }));
      const input = shapes[0]!.input;
      const width = shapes.reduce((sum, { output }) => sum + output, 0);
      // Before anything is made of a size that only config.json claims.
      for (const { module, output } of shapes) check(`${prefix}${module}.weight`, [output, input]);
      const values = ArrayBin.array(input * width);
      const bias = hasBias(config, name) ? new Float32Array(width) : undefined;
      let offset = 0;
      for (const { module, output } of shapes) {
        const weight = await read(`${prefix}${module}.weight`, [output, input]);
        transposeInto(weight, output, input, values, width, offset);
        bin.drop(weight);
        bias?.set(await read(`${prefix}${module}.bias`, [output]), offset);
        offset += output;
      }
      const weight = own(tf.tensor2d(values, [input, width]));
      bin.dropUploaded(values, weight);
      return bias === undefined ? { weight } : { weight, bias: own(tf.tensor1d(bias)) };
    };
    layers.push({
      attentionNorm: await norm(`${prefix}input_layernorm.weight`, hiddenSize),
      queryKeyValue: await projection('queryKeyValue'),
      ...(config.queryKeyNorm && {
        queryNorm: await norm(`${prefix}self_attn.q_norm.weight`, headSize),
        keyNorm: await norm(`${prefix}self_attn.k_norm.weight`, headSize),
      }),
      output: await projection('output'),
      feedForwardNorm: await norm(`${prefix}post_attention_layernorm.weight`, hiddenSize),
      gateUp: await projection('gateUp'),
      down: await projection('down'),
    });
  }
  const finalNorm = await norm('model.norm.weight', hiddenSize);
  return { embedding, layers, finalNorm, head };
}

export interface InitializationOptions {
  /** Standard deviation of the embeddings. @default 0.02 */
  embeddingDeviation?: number;
  /** How the matrices that end a residual branch start: smaller by the depth, or as zero. @default "scaled" */
  residual?: 'scaled' | 'zero';
}

/**
 * New trainable weights: matrices normal with deviation 1/sqrt(in), those that end a residual branch smaller by
 * sqrt(2 * layers); norms one, biases zero.
 */
export function initializeDecoderWeights(
  config: DecoderConfig,
  random: Random,
  { embeddingDeviation = 0.02, residual = 'scaled' }: InitializationOptions = {},
): DecoderWeights {
  const normal = (name: string, rows: number, columns: number, scale: number) => {
    const stream = random.fork(name);
    const values = Float32Array.from({ length: rows * columns }, () => stream.normal() * scale);
    return tf.tidy(() => tf.variable(tf.tensor2d(values, [rows, columns])));
  };
  const filled = (size: number, value: number) => tf.tidy(() => tf.variable(tf.fill<tf.Rank.R1>([size], value)));
  const layers = Array.from({ length: config.layers }, (_, layer): LayerWeights => {
    const projection = (name: JoinedName): LinearWeights => {
      const shapes = joinedModules[name].map((module) => moduleShape(config, module));
      const width = shapes.reduce((sum, { output }) => sum + output, 0);
      const { input } = shapes[0]!;
      const endsBranch = name === 'output' || name === 'down';
      const depth = endsBranch ? 2 * config.layers : 1;
      const scale = endsBranch && residual === 'zero' ? 0 : 1 / Math.sqrt(depth * input);
      const weight = normal(`layers.${layer}.${name}`, input, width, scale);
      return hasBias(config, name) ? { weight, bias: filled(width, 0) } : { weight };
    };
    return {
      attentionNorm: filled(config.hiddenSize, 1),
      queryKeyValue: projection('queryKeyValue'),
      ...(config.queryKeyNorm && { queryNorm: filled(config.headSize, 1), keyNorm: filled(config.headSize, 1) }),
      output: projection('output'),
      feedForwardNorm: filled(config.hiddenSize, 1),
      gateUp: projection('gateUp'),
      down: projection('down'),
    };
  });
  const table = (name: string) => normal(name, config.hiddenSize, config.vocabularySize, embeddingDeviation);
  const head = table('head');
  const embedding = config.tiedEmbeddings ? head : table('embedding');
  return { embedding: new TrainedEmbedding(embedding), layers, finalNorm: filled(config.hiddenSize, 1), head };
}

/** Named variables of trainable weights, in a fixed order. */
export function decoderParameters({ embedding, layers, finalNorm, head }: DecoderWeights): Map<string, tf.Variable> {
  const named = new Map<string, tf.Tensor | undefined>();
  if (embedding instanceof TrainedEmbedding) named.set('embedding', embedding.weight);
  layers.forEach((layer, i) => {
    for (const name of joinedNames) {
      named.set(`layers.${i}.${name}.weight`, layer[name].weight);
      named.set(`layers.${i}.${name}.bias`, layer[name].bias);
    }
    for (const name of ['attentionNorm', 'feedForwardNorm', 'queryNorm', 'keyNorm'] as const) {
      named.set(`layers.${i}.${name}`, layer[name]);
    }
  });
  named.set('finalNorm', finalNorm);
  if (!(embedding instanceof TrainedEmbedding) || embedding.weight !== head) named.set('head', head);
  const variables = new Map<string, tf.Variable>();
  for (const [name, tensor] of named) if (tensor !== undefined && isTrainable(tensor)) variables.set(name, tensor);
  return variables;
}

/** All weights under their Hugging Face names, for writing a checkpoint. */
export async function exportDecoderWeights(weights: DecoderWeights, config: DecoderConfig): Promise<NamedTensor[]> {
  const tensors: NamedTensor[] = [];
  const floats = async (tensor: tf.Tensor) => Float32Array.from(await tensor.data<'float32'>());
  const addNorm = async (name: string, tensor: tf.Tensor1D | undefined) => {
    if (tensor !== undefined) tensors.push({ name, shape: [...tensor.shape], data: await floats(tensor) });
  };
  const { embedding, layers, finalNorm, head } = weights;
  const { hiddenSize, vocabularySize } = config;
  const untransposed = async (tensor: tf.Tensor2D) => {
    const data = new Float32Array(tensor.size);
    transposeInto(await floats(tensor), tensor.shape[0], tensor.shape[1], data, tensor.shape[0], 0);
    return data;
  };
  const table = await embedding.rows();
  tensors.push({ name: 'model.embed_tokens.weight', shape: [vocabularySize, hiddenSize], data: table });
  for (const [i, layer] of layers.entries()) {
    const prefix = `model.layers.${i}.`;
    await addNorm(`${prefix}input_layernorm.weight`, layer.attentionNorm);
    await addNorm(`${prefix}post_attention_layernorm.weight`, layer.feedForwardNorm);
    await addNorm(`${prefix}self_attn.q_norm.weight`, layer.queryNorm);
    await addNorm(`${prefix}self_attn.k_norm.weight`, layer.keyNorm);
    for (const name of joinedNames) {
      const { weight, bias } = layer[name];
      const whole = await untransposed(weight);
      const biases = bias === undefined ? undefined : await floats(bias);
      let offset = 0;
      for (const module of joinedModules[name]) {
        const { input, output } = moduleShape(config, module);
        const data = whole.slice(offset * input, (offset + output) * input);
        tensors.push({ name: `${prefix}${module}.weight`, shape: [output, input], data });
        if (biases !== undefined) {
          tensors.push({
            name: `${prefix}${module}.bias`,
            shape: [output],
            data: biases.slice(offset, offset + output),
          });
        }
        offset += output;
      }
    }
  }
  await addNorm('model.norm.weight', finalNorm);
  if (!config.tiedEmbeddings) {
    tensors.push({ name: 'lm_head.weight', shape: [vocabularySize, hiddenSize], data: await untransposed(head) });
  }
  return tensors;
}
