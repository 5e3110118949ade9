// Sums and norms over all gradients of a step.
import * as tf from '@tensorflow/tfjs';
import { valuesOf } from '../training/values-of.js';

export type Gradients = Map<tf.Variable, tf.Tensor>;

/** Adds `from` into `into`; takes ownership of the tensors of `from`. */
export function accumulateGradients(into: Gradients, from: ReadonlyMap<tf.Variable, tf.Tensor>): void {
  for (const [variable, gradient] of from) {
    const sum = into.get(variable);
    if (sum === undefined) {
      into.set(variable, gradient);
      continue;
    }
    into.set(variable, tf.add(sum, gradient));
    tf.dispose([sum, gradient]);
  }
}

/**
 * Scales all gradients together so that their global norm is at most `maxNorm`, as PyTorch's `clip_grad_norm_` does.
 * @returns the norm before clipping.
 */
export async function clipGradients(gradients: Gradients, maxNorm: number): Promise<number> {
  const norm = await gradientNorm(gradients);
  const factor = maxNorm / (norm + 1e-6);
  if (factor < 1) {
    for (const [variable, gradient] of gradients) {
      gradients.set(variable, tf.mul(gradient, factor));
      gradient.dispose();
    }
  }
  return norm;
}

/** Global norm of all gradients together; 0 of none. */
export async function gradientNorm(gradients: Gradients): Promise<number> {
  if (gradients.size === 0) return 0;
  const [norm] = await valuesOf(() => {
    const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)).asScalar());
    return tf.sqrt(tf.sum(tf.stack(squares)));
  });
  return norm!;
}

export function disposeGradients(gradients: Gradients): void {
  tf.dispose([...gradients.values()]);
  gradients.clear();
}
