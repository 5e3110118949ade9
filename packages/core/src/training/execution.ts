// How a piece of a forward pass is run: eagerly, or recorded for a backward pass that recomputes it.
import * as tf from '@tensorflow/tfjs';

/** A differentiable piece: tensors in, tensors out, with no other tensor inputs than `inputs` and `parameters`. */
export type Piece = (inputs: readonly tf.Tensor[]) => tf.Tensor[];

/**
 * Runs the pieces (one decoder layer, one concatenation, ...) of which a forward pass is made. The model code is the same
 * for inference, for tfjs's own gradient tape (both {@link eager}) and for gradient checkpointing (`CheckpointTape`).
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

/** Runs at once; intermediate tensors of a piece are freed when it ends. The results belong to the caller's scope. */
export const eager: Execution = {
  run: (piece, inputs) => tf.tidy(() => piece(inputs)),
  constants: (make) => make(),
};

/** {@link Execution.run} of a piece with one result. */
export function runOne<T extends tf.Tensor>(
  execution: Execution,
  piece: (inputs: readonly tf.Tensor[]) => T,
  inputs: readonly tf.Tensor[],
  parameters: readonly tf.Variable[] = [],
): T {
  return execution.run((tensors) => [piece(tensors)], inputs, parameters)[0] as T;
}
