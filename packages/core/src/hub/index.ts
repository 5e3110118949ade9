// Finding models: folders, GGUF files, the cache of the Hugging Face tools, the hub.
export type { DownloadProgress } from './download-model.js';
export { resolveModel, type ResolvedModel, type ResolveModelOptions } from './resolve-model.js';
