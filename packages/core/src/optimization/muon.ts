// Muon (Jordan et al. 2024): momentum whose matrices are orthogonalised by a Newton-Schulz iteration.
import * as tf from '@tensorflow/tfjs';
import { MomentOptimizer } from './moment-optimizer.js';

export interface MuonOptions {
  /** @default 0.95 */
  momentum?: number;
  /** @default 5 */
  iterations?: number;
  /** @default 0 */
  weightDecay?: number;
  /**
   * Widths of the matrices that lie side by side in a parameter (query, key and value, say); each is orthogonalised by
   * itself. @default one matrix
   */
  sections?: (name: string) => readonly number[] | undefined;
}

/** For hidden matrices only; embeddings, heads, norms and biases want AdamW. */
export class Muon extends MomentOptimizer {
  private readonly options: Required<MuonOptions>;

  constructor(
    parameters: ReadonlyMap<string, tf.Variable>,
    { momentum = 0.95, iterations = 5, weightDecay = 0, sections = () => undefined }: MuonOptions = {},
  ) {
    super(parameters, ['momentum']);
    this.options = { momentum, iterations, weightDecay, sections };
  }

  override step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void {
    const { momentum, iterations, weightDecay, sections } = this.options;
    for (const [variable, gradient] of gradients) {
      const name = this.names.get(variable);
      if (name === undefined) continue;
      const running = this.moments.get(name, 'momentum');
      tf.tidy(() => {
        running.assign(tf.add(tf.mul(running, momentum), gradient));
        const direction = tf.add(gradient, tf.mul(running, momentum)) as tf.Tensor2D;
        const widths = sections(name) ?? [direction.shape[1]];
        const updates = tf.split(direction, [...widths], 1).map((matrix) => {
          const [input, output] = matrix.shape as [number, number];
          const scale = Math.sqrt(Math.max(1, output / input));
          return tf.mul(orthogonalize(matrix as tf.Tensor2D, iterations), learningRate * scale);
        });
        const update = updates.length === 1 ? updates[0]! : tf.concat(updates, 1);
        const shrunk = weightDecay > 0 ? tf.mul(variable, 1 - learningRate * weightDecay) : variable;
        variable.assign(tf.sub(shrunk, update));
      });
    }
  }
}

/** A matrix with the same singular vectors and singular values near 1 (a quintic Newton-Schulz iteration). */
export function orthogonalize(matrix: tf.Tensor2D, iterations = 5): tf.Tensor2D {
  return tf.tidy(() => {
    const wide = matrix.shape[0] <= matrix.shape[1];
    let x = wide ? matrix : tf.transpose(matrix);
    x = tf.div(x, tf.add(tf.norm(x), 1e-7));
    for (let i = 0; i < iterations; i++) {
      const gram = tf.matMul(x, x, false, true);
      const polynomial = tf.add(tf.mul(gram, -4.775), tf.mul(tf.matMul(gram, gram), 2.0315)) as tf.Tensor2D;
      x = tf.add(tf.mul(x, 3.4445), tf.matMul(polynomial, x));
    }
    return wide ? x : tf.transpose(x);
  });
}
