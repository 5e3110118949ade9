// The gradient tape: records pieces and differentiates them in reverse, keeping activations or recomputing them.
import * as tf from '@tensorflow/tfjs';
import { evaluate, type Execution, type Linearized, type Piece } from './execution.js';

interface Entry {
  piece: Piece;
  inputs: readonly tf.Tensor[];
  parameters: readonly tf.Variable[];
  outputs: readonly tf.Tensor[];
  /** Kept activations; absent where the piece is recomputed. */
  linearized?: Linearized;
}

/** A tensor made on the tape, and the gradient of the loss with respect to it. */
export interface Seed {
  output: tf.Tensor;
  gradient: tf.Tensor;
}

export interface TapeOptions {
  /**
   * Recompute each piece in the backward pass (gradient checkpointing, Chen et al. 2016) instead of keeping its
   * activations: much less memory, about a third more time. Pieces without a gradient of their own are always recomputed.
   * @default true
   */
  checkpointing?: boolean;
}

/**
 * Records pieces and differentiates them in reverse order. A piece through which no gradient can flow (no parameters, no
 * input that depends on one) is run without being recorded, so a frozen model's prompt costs its forward pass alone.
 *
 * The tape owns every tensor that its pieces return, until {@link Tape.dispose}.
 */
export class Tape implements Execution {
  private entries: Entry[] = [];
  private readonly owned: tf.Tensor[] = [];
  private readonly differentiable = new Set<number>();
  private readonly checkpointing: boolean;

  constructor({ checkpointing = true }: TapeOptions = {}) {
    this.checkpointing = checkpointing;
  }

  run(piece: Piece, inputs: readonly tf.Tensor[], parameters: readonly tf.Variable[] = []): tf.Tensor[] {
    const records = parameters.length > 0 || inputs.some((input) => this.differentiable.has(input.id));
    let linearized: Linearized | undefined;
    const outputs = tf.tidy(() => {
      if (records && !this.checkpointing && typeof piece !== 'function') {
        linearized = piece.linearize(inputs, true);
        for (const tensor of linearized.saved) this.owned.push(tf.keep(tensor));
      }
      const made = linearized?.outputs ?? evaluate(piece, inputs);
      // An output of its own, also where a piece hands an input or a kept activation through.
      return made.map((output) => tf.keep(output.clone()));
    });
    this.owned.push(...outputs);
    if (records) {
      this.entries.push({ piece, inputs, parameters, outputs, ...(linearized !== undefined && { linearized }) });
      for (const output of outputs) this.differentiable.add(output.id);
    }
    return outputs;
  }

  constants(make: () => tf.Tensor[]): tf.Tensor[] {
    const made = tf.tidy(make).map((tensor) => tf.keep(tensor));
    this.owned.push(...made);
    return made;
  }

  /**
   * Gradients of a loss with respect to every parameter it depends on. Frees activations as it goes; the tape can be used
   * for nothing but {@link Tape.dispose} afterwards.
   * @returns by variable; the caller owns the tensors. Parameters the loss does not depend on are absent.
   */
  backward(seeds: readonly Seed[]): Map<tf.Variable, tf.Tensor> {
    const flowing = new Map<number, tf.Tensor>();
    const parameterGradients = new Map<tf.Variable, tf.Tensor>();
    for (const { output, gradient } of seeds) accumulate(flowing, output.id, gradient.clone());
    try {
      for (let entry = this.entries.pop(); entry !== undefined; entry = this.entries.pop()) {
        const { outputs, linearized } = entry;
        const gradients = outputs.map((output) => flowing.get(output.id));
        if (gradients.some((gradient) => gradient !== undefined)) {
          differentiate(entry, gradients, this.differentiable, {
            input: (input, gradient) => {
              accumulate(flowing, input.id, gradient);
            },
            parameter: (variable, gradient) => {
              accumulate(parameterGradients, variable, gradient);
            },
          });
        }
        for (const output of outputs) {
          flowing.get(output.id)?.dispose();
          flowing.delete(output.id);
          output.dispose();
        }
        for (const tensor of linearized?.saved ?? []) if (!tensor.isDisposed) tensor.dispose();
      }
    } catch (error) {
      tf.dispose([...parameterGradients.values()]);
      throw error;
    } finally {
      tf.dispose([...flowing.values()]);
    }
    return parameterGradients;
  }

  dispose(): void {
    this.entries = [];
    for (const tensor of this.owned) if (!tensor.isDisposed) tensor.dispose();
    this.owned.length = 0;
  }
}

/** Where gradients go; both take ownership. */
interface Sinks {
  input: (input: tf.Tensor, gradient: tf.Tensor) => void;
  parameter: (variable: tf.Variable, gradient: tf.Tensor) => void;
}

/** Adds to an entry, taking ownership of `gradient`. */
function accumulate<K>(sums: Map<K, tf.Tensor>, key: K, gradient: tf.Tensor): void {
  const known = sums.get(key);
  if (known === undefined) {
    sums.set(key, gradient);
    return;
  }
  sums.set(key, tf.add(known, gradient));
  known.dispose();
  gradient.dispose();
}

function differentiate(
  entry: Entry,
  gradients: readonly (tf.Tensor | undefined)[],
  differentiable: ReadonlySet<number>,
  sinks: Sinks,
): void {
  const { piece, inputs, parameters } = entry;
  if (typeof piece === 'function') {
    // What stands twice among the inputs or parameters gets its whole gradient once.
    const flowingInputs = [...new Set(inputs.filter((input) => differentiable.has(input.id)))];
    const variables = [...new Set(parameters)];
    differentiateByTfjs(piece, inputs, gradients, [...flowingInputs, ...variables]).forEach((gradient, i) => {
      if (gradient === undefined) return;
      if (i < flowingInputs.length) sinks.input(flowingInputs[i]!, gradient);
      else sinks.parameter(variables[i - flowingInputs.length]!, gradient);
    });
    return;
  }
  const variables: tf.Variable[] = [];
  const [inputGradients, parameterGradients] = tf.tidy(() => {
    const collected: tf.Tensor[] = [];
    const { pullback } = entry.linearized ?? piece.linearize(inputs, true);
    const found = pullback(gradients, (variable, gradient) => {
      variables.push(variable);
      collected.push(gradient.clone());
    });
    const wanted = found.map((gradient, i) => (differentiable.has(inputs[i]!.id) ? gradient?.clone() : undefined));
    return [wanted, collected] as tf.Tensor[][];
  }) as [(tf.Tensor | undefined)[], tf.Tensor[]];
  inputGradients.forEach((gradient, i) => {
    if (gradient !== undefined) sinks.input(inputs[i]!, gradient);
  });
  parameterGradients.forEach((gradient, i) => {
    sinks.parameter(variables[i]!, gradient);
  });
}

/** Vector-Jacobian product of a plain function, by running it again under tfjs's tape. */
function differentiateByTfjs(
  piece: (inputs: readonly tf.Tensor[]) => tf.Tensor[],
  inputs: readonly tf.Tensor[],
  gradients: readonly (tf.Tensor | undefined)[],
  targets: tf.Tensor[],
): (tf.Tensor | undefined)[] {
  const active = gradients.flatMap((gradient, i) => (gradient === undefined ? [] : [{ gradient, i }]));
  return tf.tidy(() => {
    const single = active.length === 1 ? active[0]! : undefined;
    const result = tf.engine().gradients(
      () => {
        const outputs = piece(inputs);
        if (single !== undefined) return outputs[single.i]!;
        return active
          .map(({ gradient, i }) => tf.sum(tf.mul(outputs[i]!, gradient)))
          .reduce((sum, term) => tf.add(sum, term)) as tf.Tensor;
      },
      targets,
      single?.gradient,
      true,
    );
    // A gradient may be the very tensor that flowed in (an addition passes it through): hand out a reference of our own.
    return result.grads.map((gradient) => (gradient as tf.Tensor | undefined)?.clone()) as tf.Tensor[];
  });
}
