// The weights of a decoder for its kernels: copied into WebAssembly memory, or left with the backend.
import { MemGenError } from '@memgen/common';
import type * as tf from '@tensorflow/tfjs';
import type { HostProduct } from '../backend/kernels/tensorflow/host-product.js';
import type { DecoderConfig } from '../model/decoder-config.js';
import type { LayerWeights } from '../model/decoder-layer.js';
import type { Decoder } from '../model/decoder.js';
import type { LinearWeights } from '../ops/linear.js';
import { arenaLimit, blockBytes, type Arena } from './arena.js';
import { BorrowedMatrix } from './borrowed-matrix.js';
import { DoubleMatrix } from './double-matrix.js';
import { packedBytes, PackedMatrix, storageOf } from './packed-matrix.js';
import type { MatrixShape, StepMatrix } from './step-matrix.js';

/** Matrices, and addresses of norms. */
export interface StepLayer {
  attentionNorm: number;
  queryKeyValue: StepMatrix;
  queryNorm?: number | undefined;
  keyNorm?: number | undefined;
  output: StepMatrix;
  feedForwardNorm: number;
  gateUp: StepMatrix;
  down: StepMatrix;
}

export interface StepWeights {
  layers: StepLayer[];
  finalNorm: number;
  head: StepMatrix;
  /** Embeddings of tokens of the vocabulary, `[ids.length * hidden]`. */
  embed: (ids: readonly number[]) => Float32Array;
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

export interface CopyOptions {
  /** What else has to fit into the memory. */
  otherBytes: number;
  /** Multiplies many rows, by the matrices that the backend has. @default the copies multiply all */
  product?: HostProduct | undefined;
}

/**
 * Copies all weights.
 * @throws MemGenError `step-decoder-memory` before anything is allocated when not all fits.
 */
export async function copyWeights(
  decoder: Decoder,
  arena: Arena,
  { otherBytes, product }: CopyOptions,
): Promise<StepWeights> {
  await checkRoom(decoder, otherBytes);
  const copy = async ({ weight, bias }: LinearWeights) =>
    PackedMatrix.pack(arena, shapeOf(weight), await floatsOf(weight), bias && (await floatsOf(bias)));
  const withBorrowed = async (linear: LinearWeights, copied: PackedMatrix): Promise<StepMatrix> =>
    product === undefined ? copied : new DoubleMatrix(copied, await borrowMatrix(linear, arena, product));
  const pack = async (linear: LinearWeights) => withBorrowed(linear, await copy(linear));
  const head = await copy({ weight: decoder.weights.head });
  const { hiddenSize, tiedEmbeddings } = decoder.config;
  const table = tiedEmbeddings ? undefined : await decoder.weights.embedding.rows();
  const embed = (ids: readonly number[]) => {
    const rows = new Float32Array(ids.length * hiddenSize);
    ids.forEach((id, i) => {
      if (table === undefined) head.copyOutput(id, rows.subarray(i * hiddenSize, (i + 1) * hiddenSize));
      else rows.set(table.subarray(id * hiddenSize, (id + 1) * hiddenSize), i * hiddenSize);
    });
    return rows;
  };
  const multiplyingHead = await withBorrowed({ weight: decoder.weights.head }, head);
  return { ...(await collect(decoder, arena, pack)), head: multiplyingHead, embed };
}

/** Leaves the matrices with the backend, which multiplies by them; copies norms and biases only. */
export async function borrowWeights(decoder: Decoder, arena: Arena, product: HostProduct): Promise<StepWeights> {
  const borrow = (linear: LinearWeights) => borrowMatrix(linear, arena, product);
  const head = await borrow({ weight: decoder.weights.head });
  const embed = (ids: readonly number[]) => {
    const vectors = decoder.embed(ids);
    try {
      return vectors.dataSync<'float32'>();
    } finally {
      vectors.dispose();
    }
  };
  return { ...(await collect(decoder, arena, borrow)), head, embed };
}

async function borrowMatrix({ weight, bias }: LinearWeights, arena: Arena, product: HostProduct) {
  return new BorrowedMatrix(arena, weight, bias && Float32Array.from(await floatsOf(bias)), product);
}

async function collect(
  { weights }: Decoder,
  arena: Arena,
  matrix: (linear: LinearWeights) => Promise<StepMatrix>,
): Promise<Pick<StepWeights, 'layers' | 'finalNorm'>> {
  const vector = async (tensor: tf.Tensor1D) => {
    const values = await floatsOf(tensor);
    const address = arena.allocate(4 * values.length);
    arena.floats(address, values.length).set(values);
    return address;
  };
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
  return { layers, finalNorm: await vector(weights.finalNorm) };
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
