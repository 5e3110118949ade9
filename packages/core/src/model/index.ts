// Decoders: configuration, weights, adapters.
export { AttentionColumns, type MaskRow } from './attention-columns.js';
export { contextLength } from './context-length.js';
export { combineAdapters, type WeightedAdapter } from './combine-adapters.js';
export type { ModelType } from './architectures.js';
export { readDecoderConfig, type DecoderConfig } from './decoder-config.js';
export type { LayerWeights } from './decoder-layer.js';
export type { AdapterPass, AdapterPasses } from './projection.js';
export {
  decoderParameters,
  exportDecoderWeights,
  initializeDecoderWeights,
  loadDecoderWeights,
  type InitializationOptions,
  type NamedTensor,
} from './decoder-weights.js';
export { Decoder, type DecoderForwardOptions, type DecoderWeights } from './decoder.js';
export type { MatmulPrecision } from './matmul-precision.js';
export { KeyValueCache } from './key-value-cache.js';
export { mergeAdapter } from './merge-adapter.js';
export { exportAdapter, importAdapter, loadAdapter, saveAdapter, type AdapterBase } from './lora-files.js';
export {
  adaptableModules,
  LoraAdapter,
  loraKey,
  moduleShape,
  toPeftConfig,
  type AdaptableModule,
  type LoraConfig,
  type LoraModule,
  type LoraTarget,
} from './lora.js';
export { languageModelLoss, type PlainSequence } from './language-model-loss.js';
export { FrozenEmbedding, TiedEmbedding, TrainedEmbedding, type TokenEmbedding } from './token-embedding.js';
