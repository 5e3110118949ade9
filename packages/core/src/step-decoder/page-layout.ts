// Where keys and values lie in a page; the kernels of attention count on the same.
import type { DecoderConfig } from '../model/decoder-config.js';
import { pageColumns } from './kernels.js';

/**
 * Offsets in bytes. A page holds layer after layer; in a layer, for each key-value head first the keys
 * `[pageColumns / keyColumns][headSize][keyColumns]`, then the values `[pageColumns][headSize]`.
 */
export interface PageLayout {
  pageBytes: number;
  /** From a layer to the next. */
  layerBytes: number;
  /** From a head to the next. */
  headBytes: number;
  /** From the keys of a head to its values. */
  valuesOffset: number;
}

export function pageLayout({ layers, keyValueHeads, headSize }: DecoderConfig): PageLayout {
  const valuesOffset = 4 * headSize * pageColumns;
  const headBytes = 2 * valuesOffset;
  const layerBytes = keyValueHeads * headBytes;
  return { pageBytes: layers * layerBytes, layerBytes, headBytes, valuesOffset };
}
