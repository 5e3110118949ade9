// Gradients of a module against finite differences of what it computes.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { eager, type Execution } from '../training/execution.js';
import { Tape } from '../training/tape.js';
import { requireClose, requireThat } from './requirements.js';

/** Something that computes with parameters. */
export interface Differentiable {
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Runs its pieces on the execution, with caches in parts; what it returns belongs to the execution. */
  forward: (execution: Execution) => tf.Tensor[];
}

/** Half of the longest distance over which a slope is measured, and how much shorter each next one is. */
const longestStep = 1e-2;
const shrinkage = 4;

/** Rounding of float32 in what is computed, as a part of its size and of its steepest slope. */
const rounding = 2e-6;

/**
 * Requires of a random linear function of the outputs that its gradient reaches every parameter, is the same whether
 * activations are kept or recomputed, and equals finite differences at two entries of each parameter: the steepest and
 * a random one.
 *
 * How closely depends on what is computed: where it is very steep, as in a trained model that reads random vectors, float32
 * leaves little to compare, and an entry whose slope cannot be measured is passed over. A small base model with random
 * weights shows most.
 * @param slopes - whether finite differences are compared; two entries cost about ten forward passes. @default true
 * @throws MemGenError `conformance` that names the parameter.
 */
export function requireGradients({ parameters, forward }: Differentiable, { slopes = true } = {}): void {
  const kept = gradientsOf(forward, false);
  const recomputed = gradientsOf(forward, true);
  const steepest = [...kept.values()].map((values) => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0));
  const noise = rounding * Math.max(0, ...steepest);
  for (const [name, variable] of parameters) {
    const gradient = kept.get(variable);
    requireThat(gradient?.some((value) => value !== 0) ?? false, {
      message: `no gradient reaches the parameter ${name}`,
      hint: 'name the variables that a piece uses as the last argument of execution.run()',
    });
    requireClose(recomputed.get(variable) ?? [], gradient!, 1e-4, {
      message: `the gradient of ${name} changes when pieces are run again in the backward pass`,
      hint: 'a piece must compute the same each time: draw dropout masks from a seed, change no state inside of it',
    });
    if (slopes) requireSlopes(name, variable, { gradient: gradient!, forward, noise });
  }
  const known = new Set(parameters.values());
  const strangers = [...kept.keys()].filter((variable) => !known.has(variable));
  requireThat(strangers.length === 0, {
    message: 'gradients reach variables that are not among the parameters',
    got: strangers.map((variable) => `a variable [${variable.shape.join(', ')}]`).join(', '),
  });
}

function requireSlopes(
  name: string,
  variable: tf.Variable,
  { gradient, forward, noise }: { gradient: Float32Array; forward: Differentiable['forward']; noise: number },
): void {
  const values = Float32Array.from(variable.dataSync<'float32'>());
  const steepest = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best]!) ? i : best), 0);
  const scale = Math.abs(gradient[steepest]!);
  for (const at of new Set([steepest, Random.fromSeed(1).fork(name).int(gradient.length)])) {
    try {
      const measured = measureSlope(values[at]!, { scale, noise }, (value) => {
        const moved = values.slice();
        moved[at] = value;
        assign(variable, moved);
        return tf.tidy(() => {
          const { sum, size } = weightedSum(forward(eager));
          return { sum, size };
        });
      });
      if (measured === undefined) continue;
      const { slope, error } = measured;
      requireThat(Math.abs(slope - gradient[at]!) <= error, {
        message: `the gradient of ${name} is not the slope of what is computed`,
        got: `${gradient[at]} at entry ${at}`,
        expected: `${slope}, within ${error}`,
      });
    } finally {
      assign(variable, values);
    }
  }
}

/**
 * Central differences over shorter and shorter distances until two agree, which then are extrapolated. The first one is
 * such that the function changes a little: long where it is flat, short where it is steep.
 * @param scale - about the size of the slope.
 * @param noise - of what is measured, beyond its own rounding.
 * @returns undefined where no two agree: the function is too rough for float32.
 */
function measureSlope(
  value: number,
  { scale, noise }: { scale: number; noise: number },
  measure: (value: number) => { sum: number; size: number },
): { slope: number; error: number } | undefined {
  const { size } = measure(value);
  let step = Math.min(longestStep, (0.005 * size) / scale);
  let previous: number | undefined;
  for (let i = 0; i < 4; i++) {
    const [above, below] = [Math.fround(value + step), Math.fround(value - step)];
    const slope = (measure(above).sum - measure(below).sum) / (above - below);
    const error = 0.05 * scale + (rounding * size + noise) / step;
    if (previous !== undefined && Math.abs(slope - previous) <= error) {
      // The error of a central difference shrinks by the square of the distance.
      return { slope: slope + (slope - previous) / (shrinkage ** 2 - 1), error };
    }
    previous = slope;
    step /= shrinkage;
  }
  return undefined;
}

/** By variable; nothing stays on the backend. */
function gradientsOf(forward: Differentiable['forward'], checkpointing: boolean): Map<tf.Variable, Float32Array> {
  const tape = new Tape({ checkpointing });
  try {
    const outputs = forward(tape);
    const weights = tape.constants(() => weightedSum(outputs).weights.map((w, i) => tf.tensor(w, outputs[i]!.shape)));
    const gradients = tape.backward(outputs.map((output, i) => ({ output, gradient: weights[i]! })));
    const values = new Map(
      [...gradients].map(([variable, g]) => [variable, Float32Array.from(g.dataSync<'float32'>())]),
    );
    tf.dispose([...gradients.values()]);
    return values;
  } finally {
    tape.dispose();
  }
}

interface WeightedSum {
  /** In float64. */
  sum: number;
  /** Norm of what is added up. */
  size: number;
  weights: Float32Array[];
}

/** The same random weights each time. */
function weightedSum(outputs: readonly tf.Tensor[]): WeightedSum {
  const random = Random.fromSeed(2);
  let sum = 0;
  let squares = 0;
  const weights = outputs.map((output) => {
    const values = output.dataSync<'float32'>();
    return Float32Array.from(values, (value) => {
      const weight = Math.fround(random.normal());
      sum += weight * value;
      squares += (weight * value) ** 2;
      return weight;
    });
  });
  return { sum, size: Math.sqrt(squares), weights };
}

function assign(variable: tf.Variable, values: Float32Array): void {
  tf.tidy(() => {
    variable.assign(tf.tensor(values, variable.shape));
  });
}

/** Adds noise to every parameter, a tenth of its size, so that nothing is zero as it often is in a new module. */
export function moveParameters(parameters: ReadonlyMap<string, tf.Variable>): void {
  const random = Random.fromSeed(3);
  for (const [name, variable] of parameters) {
    const stream = random.fork(name);
    const values = variable.dataSync<'float32'>();
    const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    const deviation = size === 0 ? 0.05 : 0.1 * size;
    assign(
      variable,
      Float32Array.from(values, (value) => value + deviation * stream.normal()),
    );
  }
}
