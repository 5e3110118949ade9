// Public surface of @memgen/trigger.
export { LanguageModelTrigger, type OutputLayer, type TriggerConfig } from './language-model-trigger.js';
