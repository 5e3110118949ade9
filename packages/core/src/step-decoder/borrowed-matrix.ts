// A weight matrix that stays where the backend has it, which multiplies faster than the kernels would.
import type * as tf from '@tensorflow/tfjs';
import type { HostProduct } from '../backend/kernels/tensorflow/host-product.js';
import type { Arena } from './arena.js';
import type { Kernels } from './kernels.js';
import type { MatrixShape, StepMatrix } from './step-matrix.js';

/** The tensor is borrowed: it must live as long. */
export class BorrowedMatrix implements StepMatrix {
  readonly shape: MatrixShape;

  constructor(
    private readonly arena: Arena,
    private readonly weight: tf.Tensor2D,
    private readonly bias: Float32Array | undefined,
    private readonly product: HostProduct,
  ) {
    this.shape = { inputs: weight.shape[0], outputs: weight.shape[1] };
  }

  multiply(_kernels: Kernels, x: number, rows: number, y: number, accumulate: 0 | 1 = 0): void {
    const { inputs, outputs } = this.shape;
    // A copy outside of the memory that threads share, which an addon need not know what to do with.
    const result = this.product(this.arena.floats(x, rows * inputs).slice(), rows, this.weight);
    const { bias } = this;
    if (bias !== undefined) for (let i = 0; i < result.length; i++) result[i]! += bias[i % outputs]!;
    const target = this.arena.floats(y, rows * outputs);
    if (accumulate === 0) target.set(result);
    else for (let i = 0; i < result.length; i++) target[i]! += result[i]!;
  }
}
