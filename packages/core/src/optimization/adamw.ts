// AdamW (Loshchilov and Hutter 2019), with PyTorch's arithmetic.
import * as tf from '@tensorflow/tfjs';
import { MomentOptimizer } from './moment-optimizer.js';

export interface AdamWOptions {
  /** @default [0.9, 0.999] */
  betas?: readonly [number, number];
  /** @default 1e-8 */
  epsilon?: number;
  /** Decoupled: each step first multiplies a parameter by `1 - learningRate * weightDecay`. @default 0 */
  weightDecay?: number;
  /** Which parameters decay. @default all but biases and norms, as in Hugging Face's trainer */
  decays?: (name: string) => boolean;
  /** Multiplies the learning rate of a parameter. @default 1 for all */
  rates?: (name: string) => number;
}

/** Hugging Face's rule: biases and normalisation weights do not decay; query latents and scales do. */
export function decaysByDefault(name: string): boolean {
  return !/(^|[._])(bias|norm|ln)([._]|$)|Norm$/.test(name);
}

export class AdamW extends MomentOptimizer {
  private readonly options: Required<AdamWOptions>;

  /** @param parameters - by name; the names key the saved state. */
  constructor(
    parameters: ReadonlyMap<string, tf.Variable>,
    {
      betas = [0.9, 0.999],
      epsilon = 1e-8,
      weightDecay = 0,
      decays = decaysByDefault,
      rates = () => 1,
    }: AdamWOptions = {},
  ) {
    super(parameters, ['mean', 'square']);
    this.options = { betas, epsilon, weightDecay, decays, rates };
  }

  override step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void {
    const {
      betas: [beta1, beta2],
      epsilon,
      weightDecay,
      decays,
      rates,
    } = this.options;
    for (const [variable, gradient] of gradients) {
      const name = this.names.get(variable);
      if (name === undefined) continue;
      const count = this.moments.count(name);
      const rate = learningRate * rates(name);
      const mean = this.moments.get(name, 'mean');
      const square = this.moments.get(name, 'square');
      tf.tidy(() => {
        mean.assign(tf.add(tf.mul(mean, beta1), tf.mul(gradient, 1 - beta1)));
        square.assign(tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
        const denominator = tf.add(tf.div(tf.sqrt(square), Math.sqrt(1 - beta2 ** count)), epsilon);
        const update = tf.mul(tf.div(mean, denominator), rate / (1 - beta1 ** count));
        const shrunk = weightDecay > 0 && decays(name) ? tf.mul(variable, 1 - rate * weightDecay) : variable;
        variable.assign(tf.sub(shrunk, update));
      });
    }
  }
}
