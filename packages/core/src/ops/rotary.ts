// Rotary position embedding (Su et al. 2021) in the half-rotation convention of Hugging Face, with its gradient.
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';

/** Per-position factors, both `[batch, 1, tokens, headSize]`, and the matrix that turns (a, b) into (-b, a). */
export interface RotaryFactors {
  cos: tf.Tensor4D;
  sin: tf.Tensor4D;
  halfTurn: tf.Tensor2D;
}

/** Constant [size, size] such that `x @ halfTurn = concat(-x2, x1)` for the halves x1, x2 of x. Caller disposes. */
export function halfTurnMatrix(size: number): tf.Tensor2D {
  const half = size / 2;
  const values = new Float32Array(size * size);
  for (let i = 0; i < half; i++) {
    values[(i + half) * size + i] = -1;
    values[i * size + i + half] = 1;
  }
  return tf.tensor2d(values, [size, size]);
}

function turn(x: tf.Tensor, halfTurn: tf.Tensor2D): tf.Tensor {
  return tf.reshape(tf.matMul(tf.reshape(x, [-1, halfTurn.shape[0]]) as tf.Tensor2D, halfTurn), x.shape);
}

/** Rotates `x [batch, heads, tokens, headSize]`. */
export function rotate(x: tf.Tensor4D, { cos, sin, halfTurn }: RotaryFactors): tf.Tensor4D {
  const fused = runFused('MemgenRotate', { x, cos, sin, halfTurn }, { back: false });
  if (fused !== undefined) return fused[0] as tf.Tensor4D;
  return tf.add(tf.mul(x, cos), tf.mul(turn(x, halfTurn), sin));
}

/** Rotates back: the gradient of {@link rotate}. */
export function rotateBack(dOutput: tf.Tensor4D, { cos, sin, halfTurn }: RotaryFactors): tf.Tensor4D {
  const fused = runFused('MemgenRotate', { x: dOutput, cos, sin, halfTurn }, { back: true });
  if (fused !== undefined) return fused[0] as tf.Tensor4D;
  return tf.sub(tf.mul(dOutput, cos), turn(tf.mul(dOutput, sin), halfTurn));
}

/** {@link rotate} for tfjs's own gradient tape. */
export function rotary(x: tf.Tensor4D, { cos, sin, halfTurn }: RotaryFactors): tf.Tensor4D {
  return tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([cos, sin]);
    return {
      value: rotate(x as tf.Tensor4D, { cos, sin, halfTurn }),
      gradFunc: (dy, saved) => {
        const [cos, sin] = saved as [tf.Tensor4D, tf.Tensor4D];
        return rotateBack(dy as tf.Tensor4D, { cos, sin, halfTurn });
      },
    };
  })(x) as tf.Tensor4D;
}
