// A weight matrix that is there twice: copied for few rows, borrowed from the backend for many.
import type { BorrowedMatrix } from './borrowed-matrix.js';
import type { Kernels } from './kernels.js';
import type { PackedMatrix } from './packed-matrix.js';
import type { MatrixShape, StepMatrix } from './step-matrix.js';

/** With more rows than this TensorFlow's products are faster than those of the kernels. */
const mostCopiedRows = 96;

export class DoubleMatrix implements StepMatrix {
  readonly shape: MatrixShape;

  constructor(
    private readonly copied: PackedMatrix,
    private readonly borrowed: BorrowedMatrix,
  ) {
    this.shape = copied.shape;
  }

  multiply(kernels: Kernels, x: number, rows: number, y: number, accumulate: 0 | 1 = 0): void {
    const matrix = rows > mostCopiedRows ? this.borrowed : this.copied;
    matrix.multiply(kernels, x, rows, y, accumulate);
  }
}
