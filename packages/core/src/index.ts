// Public surface of @memgen/core.
export * from './backend/index.js';
export * from './conversion/index.js';
export * from './formats/index.js';
export * from './generation/index.js';
export * from './hub/index.js';
export {
  InferenceReader,
  joinVectors,
  packRows,
  unpackRows,
  type InferenceReaderOptions,
  type OpenReader,
  type ReadOptions,
  type RowVectors,
} from './inference/index.js';
export * from './inspection/index.js';
export * from './memgen/index.js';
export * from './model/index.js';
export * from './ops/index.js';
export * from './optimization/index.js';
export * from './reasoner/index.js';
export * from './step-decoder/index.js';
export * from './text/index.js';
export * from './trace-page/index.js';
export * from './training/index.js';
