// The head of a trigger.
import type * as tf from '@tensorflow/tfjs';

/** `weight [hidden, 2]`, `bias [2]`; class 1 is "weave". */
export interface OutputLayer {
  weight: tf.Variable<tf.Rank.R2>;
  bias: tf.Variable<tf.Rank.R1>;
}
