// Public surface of @memgen/common.
export type { ChatMessage } from './chat.js';
export { MemGenError, type MemGenErrorDetails } from './errors.js';
export { silentLogger, type Logger } from './logger.js';
export { Random, type RandomState } from './random.js';
