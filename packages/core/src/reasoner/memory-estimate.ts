// How much memory a model needs, from its configuration alone: told before anything is loaded.
import type { DecoderConfig } from '../model/decoder-config.js';
import type { MatmulPrecision } from '../model/matmul-precision.js';
import { estimateTrainingMemory, type TrainingMemory, type TrainingSizes } from './training-memory.js';

export interface EstimateMemoryOptions {
  /** @default 'float32' */
  matmulPrecision?: MatmulPrecision;
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
  /** Token embeddings in ordinary memory; 0 where they are the head turned over. */
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
 * vocabulary `V` and layers `L`:
 *
 * - weights: `4 * (L * (h * (q + 2 k) + q * h + 3 h * i) + h * V)` for the matrices and the head; and
 *   `4 * (L * (2 h + norms + biases) + h + headSize^2)` for norms, biases and the constant matrix of the rotary embedding.
 *   This is exact. Products in bfloat16 add 2 bytes for each element of the layers' matrices.
 * - embeddingTable: `4 * V * h`, or 0 where the embeddings are tied to the head.
 * - loading: the last matrix as it was read and as it goes to the backend, `2 * 4 * 2 h * i`; or, if the start takes more
 *   than the whole model in the end, the head as it is read, turned over and on the backend.
 * - cachePerToken: `4 * L * 2 k`.
 */
export function estimateMemory(
  config: DecoderConfig,
  { matmulPrecision = 'float32', training }: EstimateMemoryOptions = {},
): MemoryEstimate {
  const { hiddenSize, intermediateSize, vocabularySize, layers, tiedEmbeddings } = config;
  const keys = config.keyValueHeads * config.headSize;
  const table = vocabularySize * hiddenSize;
  const matrices = layers * layerMatrices(config);
  const vectors = layers * layerVectors(config) + hiddenSize;
  const copies = matmulPrecision === 'bfloat16' ? 2 * matrices : 0;
  const weights = float * (matrices + table + vectors + config.headSize ** 2) + copies;
  const embeddingTable = tiedEmbeddings ? 0 : float * table;
  const atStart = 3 * float * table;
  const loading = Math.max(2 * float * 2 * hiddenSize * intermediateSize, atStart - weights - embeddingTable);
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
