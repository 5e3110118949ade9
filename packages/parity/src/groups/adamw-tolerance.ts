// How far parameters may drift apart when each gradient is only known within its tolerance.
import { limitOf, tolerances, type Tolerance } from '../compare.js';

/** Rounding of the update and of the sum itself, for parameters of size 1. */
const rounding: Tolerance = { absolute: 1e-6, relative: 1e-6 };

interface Moments {
  /** Updates so far; a parameter without a gradient is not updated. */
  steps: number;
  mean: Float64Array;
  square: Float64Array;
  /** The same averages of the gradient's tolerance. */
  meanLimit: Float64Array;
  squareLimit: Float64Array;
  /** Sum over the steps so far. */
  drift: Float64Array;
}

/**
 * AdamW divides by the gradient's own size, so a fixed tolerance would be far too wide for most parameters and far too
 * narrow for those whose gradient is near zero, where float32 noise decides the sign of a full step. This follows the
 * update `lr * m / (sqrt(v) + eps)` and bounds, to first order, what gradients within {@link tolerances} can change:
 * `(dm + |m / sqrt(v)| * dsqrt(v)) / (sqrt(v) + eps)`, and never more than two full steps.
 */
export class AdamWTolerance {
  private readonly moments = new Map<string, Moments>();

  constructor(private readonly options: { betas: readonly [number, number]; epsilon: number }) {}

  /** Takes in the (clipped) gradients of one optimizer step, by parameter. */
  step(gradients: ReadonlyMap<string, { data: Float32Array }>, learningRate: number): void {
    const { betas, epsilon } = this.options;
    const [beta1, beta2] = betas;
    for (const [name, { data }] of gradients) {
      const moments = this.of(name, data.length);
      moments.steps++;
      const meanCorrection = 1 - beta1 ** moments.steps;
      const squareCorrection = 1 - beta2 ** moments.steps;
      const { mean, square, meanLimit, squareLimit, drift } = moments;
      data.forEach((gradient, i) => {
        const limit = limitOf(tolerances.gradient, gradient);
        mean[i] = beta1 * mean[i]! + (1 - beta1) * gradient;
        square[i] = beta2 * square[i]! + (1 - beta2) * gradient * gradient;
        meanLimit[i] = beta1 * meanLimit[i]! + (1 - beta1) * limit;
        // The root of a weighted sum of squares is a norm: its change is at most the norm of the change.
        squareLimit[i] = beta2 * squareLimit[i]! + (1 - beta2) * limit * limit;
        const size = Math.sqrt(square[i] / squareCorrection) + epsilon;
        const part = Math.abs(mean[i]) / meanCorrection / size;
        const change = (meanLimit[i] / meanCorrection + part * Math.sqrt(squareLimit[i] / squareCorrection)) / size;
        drift[i] = drift[i]! + learningRate * Math.min(2, change);
      });
    }
  }

  /** Largest difference of each element of a parameter; those without gradients only round. */
  limits(name: string, values: ArrayLike<number>): Float64Array {
    const drift = this.moments.get(name)?.drift;
    return Float64Array.from(values, (value, i) => limitOf(rounding, value) + (drift?.[i] ?? 0));
  }

  private of(name: string, length: number): Moments {
    const known = this.moments.get(name);
    if (known !== undefined) return known;
    const zeros = () => new Float64Array(length);
    const made = { steps: 0, mean: zeros(), square: zeros(), meanLimit: zeros(), squareLimit: zeros(), drift: zeros() };
    this.moments.set(name, made);
    return made;
  }
}
