// The gated activation of the decoder's feed-forward block, with its gradient (Shazeer 2020).
import * as tf from '@tensorflow/tfjs';
import { runFused } from './run-fused.js';

/** Result of {@link gatedActivation}. */
export interface Gated {
  /** `[rows, size]` */
  output: tf.Tensor2D;
  /** What the gradient reads: `gateUp`, or its two halves where the backend takes them apart. */
  inputs: tf.Tensor2D[];
}

/** `silu(gate) * up` for `gateUp [rows, 2 * size]` whose first half is the gate. */
export function gatedActivation(gateUp: tf.Tensor2D): Gated {
  const fused = runFused('MemgenGatedActivation', { gateUp }) as tf.Tensor2D[] | undefined;
  if (fused !== undefined) return { output: fused[0]!, inputs: fused.length === 1 ? [gateUp] : fused.slice(1) };
  const [gate, up] = tf.split(gateUp, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  return { output: tf.mul(tf.mul(gate, tf.sigmoid(gate)), up), inputs: [gate, up] };
}

/** Gradient of {@link gatedActivation} with respect to `gateUp`, `[rows, 2 * size]`. */
export function gatedActivationGradient(dOutput: tf.Tensor2D, inputs: readonly tf.Tensor2D[]): tf.Tensor2D {
  const [gateUp] = inputs;
  const named = inputs.length === 1 ? { gateUp } : { gate: inputs[0], up: inputs[1] };
  const fused = runFused('MemgenGatedActivationGradient', { dOutput, ...named });
  if (fused !== undefined) return fused[0] as tf.Tensor2D;
  const [gate, up] = inputs.length === 1 ? (tf.split(gateUp!, 2, 1) as tf.Tensor2D[]) : inputs;
  const sigmoid = tf.sigmoid(gate!);
  const silu = tf.mul(gate!, sigmoid);
  // d silu = sigmoid * (1 + gate - silu)
  const dGate = tf.mul(tf.mul(dOutput, up!), tf.mul(sigmoid, tf.sub(tf.add(gate!, 1), silu))) as tf.Tensor2D;
  return tf.concat([dGate, tf.mul(dOutput, silu)], 1) as tf.Tensor2D;
}

/** {@link gatedActivation} for tfjs's own gradient tape. */
export function swiglu(gateUp: tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((input, save) => {
    const { output, inputs } = gatedActivation(input as tf.Tensor2D);
    (save as tf.GradSaveFunc)(inputs);
    return {
      value: output,
      gradFunc: (dy, saved) => gatedActivationGradient(dy as tf.Tensor2D, saved as tf.Tensor2D[]),
    };
  })(gateUp) as tf.Tensor2D;
}
