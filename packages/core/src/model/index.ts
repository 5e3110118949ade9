// Decoders: configuration, weights, adapters.
export { AttentionColumns, type MaskRow } from './attention-columns.js';
export { readDecoderConfig, type DecoderConfig, type ModelType } from './decoder-config.js';
export type { LayerWeights } from './decoder-layer.js';
export type { AdapterPass } from './projection.js';
export {
  decoderParameters,
  exportDecoderWeights,
  initializeDecoderWeights,
  loadDecoderWeights,
  type InitializationOptions,
  type NamedTensor,
} from './decoder-weights.js';
export { Decoder, type DecoderForwardOptions, type DecoderWeights } from './decoder.js';
export { KeyValueCache } from './key-value-cache.js';
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
export { FrozenEmbedding, TrainedEmbedding, type TokenEmbedding } from './token-embedding.js';
