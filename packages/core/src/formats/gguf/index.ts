// Reading of GGUF files.
export { ggufToConfig } from './gguf-config.js';
export { openGguf, type GgufFile } from './gguf-file.js';
export { ggufToTokenizer, type GgufTokenizer } from './gguf-tokenizer.js';
export type { GgufMetadata, GgufValue } from './metadata.js';
