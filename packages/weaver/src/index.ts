// Public surface of @memgen/weaver.
export { LatentWeaver, type LatentWeaverConfig } from './latent-weaver.js';
export type {
  InitializationStyle,
  ProjectionParameters,
  QueryParameters,
  WeaverParameters,
} from './weaver-parameters.js';
export { readWeaverTensors, weaverFromTensors, type WeaverTensors } from './weaver-tensors.js';
