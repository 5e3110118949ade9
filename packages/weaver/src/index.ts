// Public surface of @memgen/weaver.
export { LatentWeaver, type LatentWeaverConfig } from './latent-weaver.js';
export { loadLatentWeaver, type LoadLatentWeaverOptions } from './weaver-files.js';
export type {
  InitializationStyle,
  ProjectionParameters,
  QueryParameters,
  WeaverParameters,
} from './weaver-parameters.js';
