// Reading without gradients.
export {
  InferenceReader,
  readerOpener,
  repeatEach,
  type InferenceReaderOptions,
  type OpenReader,
} from './inference-reader.js';
export { padRows, sliceColumns } from './pad-rows.js';
export type { ReadOptions } from './row-reader.js';
export { joinVectors, packRows, unpackRows, type RowVectors } from './row-vectors.js';
export type { DecodingMode } from './step-decoders.js';
