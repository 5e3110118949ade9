// Public surface of @memgen/weaver.
export { alignmentTo, type Alignment, type AlignmentTokens } from './alignment.js';
export { LatentWeaver, type LatentWeaverConfig } from './latent-weaver.js';
export type {
  InitializationStyle,
  ProjectionParameters,
  QueryParameters,
  WeaverParameters,
} from './weaver-parameters.js';
export { readWeaverTensors, weaverFromTensors, type WeaverTensors } from './weaver-tensors.js';
