// Generating text.
export { generate, type Augmentation, type GeneratedRow, type GenerateOptions } from './generate.js';
export { argmax, sampleToken, type SamplingOptions } from './sampler.js';
export type { DecodingMode } from './step-decoders.js';
