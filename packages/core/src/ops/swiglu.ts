// The gated activation of the decoder's feed-forward block, with its gradient (Shazeer 2020).
import * as tf from '@tensorflow/tfjs';

/** `silu(gate) * up` for `gateUp [rows, 2 * size]` whose first half is the gate; result `[rows, size]`. */
export function swiglu(gateUp: tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((input, save) => {
    const gateUp = input as tf.Tensor2D;
    (save as tf.GradSaveFunc)([gateUp]);
    const [gate, up] = tf.split(gateUp, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return {
      value: tf.mul(tf.mul(gate, tf.sigmoid(gate)), up),
      gradFunc: (dy, saved) => {
        const [gate, up] = tf.split(saved[0] as tf.Tensor2D, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
        const sigmoid = tf.sigmoid(gate);
        const silu = tf.mul(gate, sigmoid);
        // d silu = sigmoid * (1 + gate - silu)
        const dGate = tf.mul(tf.mul(dy, up), tf.mul(sigmoid, tf.sub(tf.add(gate, 1), silu)));
        return tf.concat([dGate, tf.mul(dy, silu)], 1);
      },
    };
  })(gateUp) as tf.Tensor2D;
}
