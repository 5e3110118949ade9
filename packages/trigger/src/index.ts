// Public surface of @memgen/trigger.
export { LanguageModelTrigger, type TriggerConfig } from './language-model-trigger.js';
export type { OutputLayer } from './output-layer.js';
