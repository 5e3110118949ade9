// Finding models: folders, GGUF files, the cache of the Hugging Face tools, the hub.
export type { DownloadProgress } from './download-files.js';
export { resolveModel, type ResolvedModel, type ResolveModelOptions } from './resolve-model.js';
export { resolveCheckpoint, type ResolvedCheckpoint } from './resolve-checkpoint.js';
