// Products with frozen matrices in bfloat16, on backends that have a kernel for them.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { castKernel, matMulKernel } from '../backend/kernels/bfloat16-kernels.js';

/** Whether the current backend does. That it is faster there is not said: `memgen doctor` measures both. */
export function multipliesInBfloat16(): boolean {
  return tf.getKernel(matMulKernel, tf.getBackend()) !== undefined;
}

/** @throws MemGenError `bfloat16` where the current backend does not multiply in bfloat16. */
export function requireBfloat16(): void {
  if (multipliesInBfloat16()) return;
  throw new MemGenError({
    code: 'bfloat16',
    message: 'this backend does not multiply in bfloat16',
    got: tf.getBackend(),
    expected: 'tensorflow',
    hint: 'leave the precision at float32, or start the tensorflow backend',
  });
}

/**
 * A copy in bfloat16 that only {@link bfloat16MatMul} can read; disposed as any tensor. tfjs counts it with four bytes a
 * number, it takes two.
 */
export function toBfloat16(x: tf.Tensor2D): tf.Tensor2D {
  return tf.engine().runKernel(castKernel, { x }) as tf.Tensor2D;
}

/**
 * `x [rows, in]` by a copy of `[in, out]`, or by it turned over. `x` is rounded to bfloat16, sums are float32 within a
 * product, the result is rounded to bfloat16: relative error about 3e-3.
 */
export function bfloat16MatMul(x: tf.Tensor2D, weight: tf.Tensor2D, transposed = false): tf.Tensor2D {
  return tf.engine().runKernel(matMulKernel, { x, weight }, { transposed }) as tf.Tensor2D;
}
