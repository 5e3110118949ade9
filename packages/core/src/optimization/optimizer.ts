// What every optimizer has: a step, and a state that can be saved and restored exactly.
import type * as tf from '@tensorflow/tfjs';

export interface Optimizer {
  /**
   * Updates the parameters that have a gradient, in place.
   * @param gradients - by variable; not consumed.
   */
  step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void;
  /** Named arrays that {@link Optimizer.importState} restores bit by bit. */
  exportState(): Promise<Map<string, { shape: number[]; data: Float32Array }>>;
  importState(state: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void;
  /** Whether a parameter of this name is among those it steps. */
  knows(name: string): boolean;
  dispose(): void;
}
