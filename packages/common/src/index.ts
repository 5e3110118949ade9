// Public surface of @memgen/common.
export { recoverFolder, replaceFolder, writeFileAtomically, type FileContent } from './atomic.js';
export type { ChatMessage } from './chat.js';
export { MemGenError, type MemGenErrorDetails } from './errors.js';
export { toFileError } from './file-error.js';
export { silentLogger, type Logger } from './logger.js';
export { Random, type RandomState } from './random.js';
