// Public surface of @memgen/trigger/test.
export type { ConformanceCheck } from '@memgen/core/test';
export type { TriggerConformanceOptions } from './conformance-options.js';
export { triggerConformance } from './trigger-conformance.js';
