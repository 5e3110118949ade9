// The compiled kernels as typed functions; assembly/ has their sources and says what each computes.
import { kernelsBase64 } from './kernels.wasm.js';
import { instantiate, type WasmMemory } from './web-assembly.js';

/** Product with a packed matrix; `bias` is 0 where there is none, `accumulate` 1 to add to what `y` holds. */
type Multiply = (
  x: number,
  rows: number,
  inputs: number,
  weights: number,
  bias: number,
  outputs: number,
  y: number,
  accumulate: 0 | 1,
) => void;

/** Arguments are counts and addresses in bytes. */
export interface Kernels {
  multiplyFloat32: Multiply;
  multiplyBfloat16: Multiply;
  rmsNorm(x: number, weight: number, y: number, rows: number, size: number, epsilon: number): void;
  rotate(x: number, heads: number, headSize: number, factors: number): void;
  storeColumn(key: number, value: number, page: number, column: number, keyValueHeads: number, headSize: number): void;
  attend(
    query: number,
    output: number,
    pages: number,
    layerOffset: number,
    columns: number,
    keyValueHeads: number,
    group: number,
    headSize: number,
    scores: number,
  ): void;
  gatedActivation(x: number, y: number, rows: number, size: number): void;
  exponentials(x: number, y: number, count: number): void;
}

/** Columns of a page of keys and values; the kernels count on it. */
export const pageColumns = 32;

export function createKernels(memory: WasmMemory): Kernels {
  return instantiate(Buffer.from(kernelsBase64, 'base64'), memory) as Kernels;
}
