// The gated activation of the decoder's feed-forward block, with its gradient (Shazeer 2020).
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';

/** Result of {@link gatedActivation}. */
export interface Gated {
  /** `[rows, size]` */
  output: tf.Tensor2D;
  /**
   * What the gradient reads: the derivatives by gate and up, `[rows, size]` each, or `gateUp` where the backend computes
   * the gradient from it in one pass.
   */
  saved: tf.Tensor2D[];
}

/**
 * `silu(gate) * up` for `gateUp [rows, 2 * size]` whose first half is the gate.
 * @param differentiated - false saves the work for a gradient that is never asked for.
 */
export function gatedActivation(gateUp: tf.Tensor2D, { differentiated = true } = {}): Gated {
  const fused = runFused('MemgenGatedActivation', { gateUp }, { differentiated }) as tf.Tensor2D[] | undefined;
  if (fused !== undefined) return { output: fused[0]!, saved: fused.length === 1 ? [gateUp] : fused.slice(1) };
  const [gate, up] = tf.split(gateUp, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  const sigmoid = tf.sigmoid(gate);
  const silu = tf.mul<tf.Tensor2D>(gate, sigmoid);
  const output = tf.mul<tf.Tensor2D>(silu, up);
  if (!differentiated) return { output, saved: [] };
  // d silu = sigmoid * (1 + gate - silu)
  const slope = tf.mul(sigmoid, tf.sub(tf.add(gate, 1), silu));
  return { output, saved: [tf.mul(up, slope), silu] };
}

/** Gradient of {@link gatedActivation} with respect to `gateUp`, `[rows, 2 * size]`. */
export function gatedActivationGradient(dOutput: tf.Tensor2D, saved: readonly tf.Tensor2D[]): tf.Tensor2D {
  const [first, second] = saved;
  const named = second === undefined ? { gateUp: first } : { byGate: first, byUp: second };
  const fused = runFused('MemgenGatedActivationGradient', { dOutput, ...named });
  if (fused !== undefined) return fused[0] as tf.Tensor2D;
  return tf.concat([tf.mul(dOutput, first!), tf.mul(dOutput, second!)], 1) as tf.Tensor2D;
}

/** {@link gatedActivation} for tfjs's own gradient tape. */
export function swiglu(gateUp: tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((input, save) => {
    const { output, saved } = gatedActivation(input as tf.Tensor2D);
    (save as tf.GradSaveFunc)(saved);
    return {
      value: output,
      gradFunc: (dy, kept) => gatedActivationGradient(dy as tf.Tensor2D, kept as tf.Tensor2D[]),
    };
  })(gateUp) as tf.Tensor2D;
}
