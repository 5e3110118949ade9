// How much memory a model needs, from its configuration alone: told before anything is loaded.
import type { DecoderConfig } from '../model/decoder-config.js';
import { estimateTrainingMemory, type TrainingMemory, type TrainingSizes } from './training-memory.js';

export interface EstimateMemoryOptions {
  /** How the backend holds the matrices of layers and head; norms and biases are float32 always. @default 'float32' */
  dtype?: 'float32' | 'bfloat16';
  /** Adds {@link MemoryEstimate.training}. */
  training?: TrainingSizes | undefined;
}

/**
 * Bytes of tensors and tables. A process takes more: Node and the engine themselves, garbage that waits to be collected and
 * the reserves of allocators; with TensorFlow up to half more was seen in training.
 */
export interface MemoryEstimate {
  /** Weights on the backend. */
  weights: number;
  /** Token embeddings, which stay in ordinary memory. */
  embeddingTable: number;
  /** What loading needs on top, for a moment. */
  loading: number;
  /** {@link weights}, {@link embeddingTable} and {@link loading} together: what has to be free. */
  toLoad: number;
  /** Keys and values of one column (a token or a latent) of one row, on the backend. */
  cachePerToken: number;
  training?: TrainingMemory;
}

const float = 4;

/**
 * With hidden size `h`, feed-forward size `i`, queries `q = heads * headSize`, keys `k = keyValueHeads * headSize`,
 * vocabulary `V`, layers `L`, and `m` bytes for an element of a matrix (4, or 2 in bfloat16):
 *
 * - weights: `m * (L * (h * (q + 2 k) + q * h + 3 h * i) + h * V)` for the matrices, the head among them even where it is
 *   tied to the embeddings; and `4 * (L * (2 h + norms + biases) + h + headSize^2)` for norms, biases and the constant
 *   matrix of the rotary embedding. This is exact.
 * - embeddingTable: `4 * V * h`.
 * - loading: `4 * V * h` for the head on its way to the backend, twice that where it is not the embeddings turned over.
 * - cachePerToken: `4 * L * 2 k`.
 */
export function estimateMemory(
  config: DecoderConfig,
  { dtype = 'float32', training }: EstimateMemoryOptions = {},
): MemoryEstimate {
  const { hiddenSize, vocabularySize, layers, tiedEmbeddings } = config;
  const keys = config.keyValueHeads * config.headSize;
  const table = vocabularySize * hiddenSize;
  const matrices = layers * layerMatrices(config) + table;
  const vectors = layers * layerVectors(config) + hiddenSize;
  const weights = (dtype === 'float32' ? float : 2) * matrices + float * (vectors + config.headSize ** 2);
  const embeddingTable = float * table;
  const loading = float * table * (tiedEmbeddings ? 1 : 2);
  return {
    weights,
    embeddingTable,
    loading,
    toLoad: weights + embeddingTable + loading,
    cachePerToken: float * layers * 2 * keys,
    ...(training !== undefined && { training: estimateTrainingMemory(config, training) }),
  };
}

/** Elements of the matrices of one layer. */
function layerMatrices({ hiddenSize, intermediateSize, heads, keyValueHeads, headSize }: DecoderConfig): number {
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  return hiddenSize * (queries + 2 * keys) + queries * hiddenSize + 3 * hiddenSize * intermediateSize;
}

/** Elements of the norms and biases of one layer. */
function layerVectors(config: DecoderConfig): number {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = config;
  const norms = 2 * hiddenSize + (config.queryKeyNorm ? 2 * headSize : 0);
  const attentionBias = config.queryKeyValueBias ? (heads + 2 * keyValueHeads) * headSize : 0;
  const outputBias = config.outputBias ? hiddenSize : 0;
  const feedForwardBias = config.feedForwardBias ? 2 * intermediateSize + hiddenSize : 0;
  return norms + attentionBias + outputBias + feedForwardBias;
}
