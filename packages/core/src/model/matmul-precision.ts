// In which precision a decoder multiplies by its frozen matrices.
import { toBfloat16 } from '../ops/bfloat16-mat-mul.js';
import type { LinearWeights } from '../ops/linear.js';
import { isTrainable } from '../ops/trainable.js';
import type { DecoderWeights } from './decoder.js';

/**
 * - `"float32"`: exact;
 * - `"bfloat16"`: the products with the matrices of the layers, forwards and backwards, take bfloat16 copies: up to twice
 *   as fast on some processors, slower on others (`memgen doctor` measures both), with a relative error of about 3e-3 a
 *   product. Adapters, norms, attention and the head stay float32. The copies take half as much memory again.
 */
export type MatmulPrecision = 'float32' | 'bfloat16';

/** Gives the frozen matrices of the layers their copies, on a backend with products in bfloat16. */
export function addBfloat16Copies({ layers }: DecoderWeights): void {
  for (const layer of layers) {
    for (const linear of [layer.queryKeyValue, layer.output, layer.gateUp, layer.down]) addCopy(linear);
  }
}

function addCopy(linear: LinearWeights): void {
  if (!isTrainable(linear.weight)) linear.bfloat16 ??= toBfloat16(linear.weight);
}
