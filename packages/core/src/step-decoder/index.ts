// Fast passes over a few columns of a frozen decoder.
export type { StepCache } from './step-cache.js';
export { StepDecoder } from './step-decoder.js';
