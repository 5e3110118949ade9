// Copies the weights of a decoder into WebAssembly memory.
import { MemGenError } from '@memgen/common';
import type * as tf from '@tensorflow/tfjs';
import type { DecoderConfig } from '../model/decoder-config.js';
import type { LayerWeights } from '../model/decoder-layer.js';
import type { Decoder } from '../model/decoder.js';
import type { LinearWeights } from '../ops/linear.js';
import { arenaLimit, blockBytes, type Arena } from './arena.js';
import { packedBytes, PackedMatrix, storageOf, type MatrixShape } from './packed-matrix.js';

/** Matrices, and addresses of norms. */
export interface StepLayer {
  attentionNorm: number;
  queryKeyValue: PackedMatrix;
  queryNorm?: number | undefined;
  keyNorm?: number | undefined;
  output: PackedMatrix;
  feedForwardNorm: number;
  gateUp: PackedMatrix;
  down: PackedMatrix;
}

export interface StepWeights {
  layers: StepLayer[];
  finalNorm: number;
  head: PackedMatrix;
  /** Row-major `[vocabulary, hidden]`, outside of the memory; none where the head is the table. */
  embedding?: Float32Array | undefined;
}

const matrixNames = ['queryKeyValue', 'output', 'gateUp', 'down'] as const;

/** Shapes of a layer's matrices. */
export function matrixShapes(config: DecoderConfig): Record<(typeof matrixNames)[number], MatrixShape> {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = config;
  return {
    queryKeyValue: { inputs: hiddenSize, outputs: (heads + 2 * keyValueHeads) * headSize },
    output: { inputs: heads * headSize, outputs: hiddenSize },
    gateUp: { inputs: hiddenSize, outputs: 2 * intermediateSize },
    down: { inputs: intermediateSize, outputs: hiddenSize },
  };
}

/** Bytes that the weights take when none is exactly representable in bfloat16. */
export function mostWeightBytes(config: DecoderConfig): number {
  const shapes = Object.values(matrixShapes(config));
  const biasesAndNorms = [...shapes.map(({ outputs }) => outputs), 2 * config.hiddenSize, 2 * config.headSize];
  const layer =
    shapes.reduce((sum, shape) => sum + packedBytes(shape), 0) +
    biasesAndNorms.reduce((sum, size) => sum + 2 * blockBytes(4 * size), 0);
  const head = packedBytes({ inputs: config.hiddenSize, outputs: config.vocabularySize });
  return config.layers * layer + head + blockBytes(4 * config.hiddenSize);
}

/**
 * @param otherBytes - what else has to fit into the memory.
 * @throws MemGenError `step-decoder-memory` before anything is allocated when not all fits.
 */
export async function copyWeights(decoder: Decoder, arena: Arena, otherBytes: number): Promise<StepWeights> {
  const { config, weights } = decoder;
  await checkRoom(decoder, otherBytes);
  const vector = async (tensor: tf.Tensor1D) => {
    const values = await floatsOf(tensor);
    const address = arena.allocate(4 * values.length);
    arena.floats(address, values.length).set(values);
    return address;
  };
  const matrix = async ({ weight, bias }: LinearWeights) =>
    PackedMatrix.pack(arena, shapeOf(weight), await floatsOf(weight), bias && (await floatsOf(bias)));

  const layers: StepLayer[] = [];
  for (const layer of weights.layers) {
    layers.push({
      attentionNorm: await vector(layer.attentionNorm),
      queryKeyValue: await matrix(layer.queryKeyValue),
      queryNorm: layer.queryNorm && (await vector(layer.queryNorm)),
      keyNorm: layer.keyNorm && (await vector(layer.keyNorm)),
      output: await matrix(layer.output),
      feedForwardNorm: await vector(layer.feedForwardNorm),
      gateUp: await matrix(layer.gateUp),
      down: await matrix(layer.down),
    });
  }
  return {
    layers,
    finalNorm: await vector(weights.finalNorm),
    head: await matrix({ weight: weights.head }),
    embedding: config.tiedEmbeddings ? undefined : await weights.embedding.rows(),
  };
}

/** Looks at the values only where it depends on them whether all fits. */
async function checkRoom({ config, weights }: Decoder, otherBytes: number): Promise<void> {
  let bytes = mostWeightBytes(config) + otherBytes;
  if (bytes <= arenaLimit) return;
  const matrices = [...weights.layers.flatMap((layer: LayerWeights) => matrixNames.map((name) => layer[name].weight))];
  for (const weight of [...matrices, weights.head]) {
    const shape = shapeOf(weight);
    bytes += packedBytes(shape, storageOf(await floatsOf(weight))) - packedBytes(shape);
  }
  if (bytes <= arenaLimit) return;
  throw new MemGenError({
    code: 'step-decoder-memory',
    message: 'the decoder is too large for WebAssembly memory',
    got: `${bytes} bytes`,
    expected: `at most ${arenaLimit} bytes`,
    hint: 'decode on the backend, or take a smaller model',
  });
}

function shapeOf({ shape: [inputs, outputs] }: tf.Tensor2D): MatrixShape {
  return { inputs, outputs };
}

function floatsOf(tensor: tf.Tensor): Promise<Float32Array> {
  return tensor.data<'float32'>();
}
