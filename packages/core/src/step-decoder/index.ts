// Fast passes over a few columns of a frozen decoder.
export type { StepAdapter } from './step-adapter.js';
export type { StepCache } from './step-cache.js';
export { StepDecoder, type MatrixSource, type StepDecoderOptions, type StepReadOptions } from './step-decoder.js';
