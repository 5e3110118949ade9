// Generating text.
export { generate, streamGenerate } from './generate.js';
export type { GenerateOptions, WeavingPlaces } from './generate-options.js';
export type { GeneratingModel } from './generating-model.js';
export type { Augmentation, FinishReason, GeneratedRow, GeneratedToken } from './generated-row.js';
export type { TokenProbability } from './log-probabilities.js';
export { argmax, sampleToken, type SamplingOptions } from './sampler.js';
export type { DecodingMode } from '../inference/step-decoders.js';
export type { NearToken, PartTimes, RowTrace, TracedLatent, TracedPoint } from './trace.js';
