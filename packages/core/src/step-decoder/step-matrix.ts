// A frozen linear map between vectors in the memory of a step decoder.
import type { Kernels } from './kernels.js';

export interface MatrixShape {
  inputs: number;
  outputs: number;
}

/** The map `y = x W + bias` of `x [rows, inputs]`. */
export interface StepMatrix {
  readonly shape: MatrixShape;
  /**
   * @param x - address of the rows.
   * @param y - address of `[rows, outputs]`.
   * @param accumulate - 1 adds to what `y` holds. @default 0
   */
  multiply(kernels: Kernels, x: number, rows: number, y: number, accumulate?: 0 | 1): void;
}
