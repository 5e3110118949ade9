// The gated activation of the decoder's feed-forward block, with its gradient (Shazeer 2020).
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';

/** `silu(gate) * up` for `gateUp [rows, 2 * size]` whose first half is the gate; result `[rows, size]`. */
export function gatedActivation(gateUp: tf.Tensor2D): tf.Tensor2D {
  const fused = runFused('MemgenGatedActivation', { gateUp });
  if (fused !== undefined) return fused[0] as tf.Tensor2D;
  const [gate, up] = tf.split(gateUp, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}

/** Gradient of {@link gatedActivation}, `[rows, 2 * size]`. */
export function gatedActivationGradient(dOutput: tf.Tensor2D, gateUp: tf.Tensor2D): tf.Tensor2D {
  const fused = runFused('MemgenGatedActivationGradient', { dOutput, gateUp });
  if (fused !== undefined) return fused[0] as tf.Tensor2D;
  const [gate, up] = tf.split(gateUp, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  const sigmoid = tf.sigmoid(gate);
  const silu = tf.mul(gate, sigmoid);
  // d silu = sigmoid * (1 + gate - silu)
  const dGate = tf.mul(tf.mul(dOutput, up), tf.mul(sigmoid, tf.sub(tf.add(gate, 1), silu))) as tf.Tensor2D;
  return tf.concat([dGate, tf.mul(dOutput, silu)], 1) as tf.Tensor2D;
}

/** {@link gatedActivation} for tfjs's own gradient tape. */
export function swiglu(gateUp: tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor2D]);
    return {
      value: gatedActivation(input as tf.Tensor2D),
      gradFunc: (dy, saved) => gatedActivationGradient(dy as tf.Tensor2D, saved[0] as tf.Tensor2D),
    };
  })(gateUp) as tf.Tensor2D;
}
