// Public surface of @memgen/common.
export { recoverFolder, replaceFolder, writeFileAtomically, type FileContent } from './atomic.js';
export type { ChatMessage, ToolCall, ToolDefinition } from './chat.js';
export type { Environment, EnvironmentResetOptions, EnvironmentStep } from './environment.js';
export { MemGenError, type MemGenErrorDetails } from './errors.js';
export { toFileError } from './file-error.js';
export { escapeHtml, html, Html, visibleText, type HtmlValue } from './html.js';
export { silentLogger, type Logger } from './logger.js';
export { mapConcurrently } from './map-concurrently.js';
export { Random, type RandomState } from './random.js';
export {
  rewardPerSample,
  type Reward,
  type RewardFunction,
  type RewardPerSampleOptions,
  type RewardSample,
} from './reward.js';
