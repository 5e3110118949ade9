// How a piece of a forward pass is run: eagerly, or recorded for a backward pass.
import * as tf from '@tensorflow/tfjs';

/** A piece with a gradient of its own: what it computed, what its pullback needs, and the pullback. */
export interface Linearized {
  outputs: tf.Tensor[];
  saved: tf.Tensor[];
  /**
   * Runs inside a `tf.tidy`.
   * @param gradients - with respect to the outputs; absent ones are zero.
   * @param collect - takes the gradients of parameters.
   * @returns gradients with respect to the inputs, in their order.
   */
  pullback: (
    gradients: readonly (tf.Tensor | undefined)[],
    collect: (variable: tf.Variable, gradient: tf.Tensor) => void,
  ) => (tf.Tensor | undefined)[];
}

/**
 * A differentiable piece: tensors in, tensors out, with no other tensor inputs than `inputs` and `parameters`. A function
 * is differentiated by tfjs, by running it again; a piece with `linearize` brings its own gradient, of which it need prepare
 * nothing unless it is `differentiated`.
 */
export type Piece =
  | ((inputs: readonly tf.Tensor[]) => tf.Tensor[])
  | { linearize: (inputs: readonly tf.Tensor[], differentiated: boolean) => Linearized };

/**
 * Runs the pieces (one decoder layer, one concatenation, ...) of which a forward pass is made. The model code is the same
 * for inference ({@link eager}) and for training (`Tape`).
 */
export interface Execution {
  /**
   * @param inputs - tensors through which a gradient may flow.
   * @param parameters - variables used inside; they receive gradients.
   */
  run(piece: Piece, inputs: readonly tf.Tensor[], parameters?: readonly tf.Variable[]): tf.Tensor[];
  /** Makes tensors that pieces use as constants; they live as long as this execution needs them. */
  constants(make: () => tf.Tensor[]): tf.Tensor[];
}

/** Outputs alone. */
export function evaluate(piece: Piece, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return typeof piece === 'function' ? piece(inputs) : piece.linearize(inputs, false).outputs;
}

/** Runs at once; intermediate tensors are freed at once too. Results and constants belong to the caller's scope. */
export const eager: Execution = {
  run: (piece, inputs) => tf.tidy(() => evaluate(piece, inputs)),
  constants: (make) => tf.tidy(make),
};

/** {@link Execution.run} of a function with one result. */
export function runOne<T extends tf.Tensor>(
  execution: Execution,
  piece: (inputs: readonly tf.Tensor[]) => T,
  inputs: readonly tf.Tensor[],
  parameters: readonly tf.Variable[] = [],
): T {
  return execution.run((tensors) => [piece(tensors)], inputs, parameters)[0] as T;
}
