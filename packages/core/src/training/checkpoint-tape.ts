// Gradient checkpointing (Chen et al. 2016): keeps only what flows between pieces and recomputes each piece backwards.
import * as tf from '@tensorflow/tfjs';
import type { Execution, Piece } from './execution.js';

interface Entry {
  piece: Piece;
  inputs: readonly tf.Tensor[];
  parameters: readonly tf.Variable[];
  outputs: readonly tf.Tensor[];
}

/** A tensor made on the tape, and the gradient of the loss with respect to it. */
export interface Seed {
  output: tf.Tensor;
  gradient: tf.Tensor;
}

/**
 * Records pieces and differentiates them in reverse order. A piece through which no gradient can flow (no parameters, no
 * input that depends on one) is run without being recorded, so a frozen model's prompt costs its forward pass alone.
 *
 * The tape owns every tensor that its pieces return, until {@link CheckpointTape.dispose}. Activations inside a piece exist
 * only while it runs, once forwards and once backwards.
 */
export class CheckpointTape implements Execution {
  private entries: Entry[] = [];
  private readonly owned: tf.Tensor[] = [];
  private readonly differentiable = new Set<number>();

  run(piece: Piece, inputs: readonly tf.Tensor[], parameters: readonly tf.Variable[] = []): tf.Tensor[] {
    const outputs = tf
      .tidy(() => piece(inputs).map((output) => (inputs.includes(output) ? output.clone() : output)))
      .map((output) => tf.keep(output));
    this.owned.push(...outputs);
    if (parameters.length > 0 || inputs.some((input) => this.differentiable.has(input.id))) {
      this.entries.push({ piece, inputs, parameters, outputs });
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
   * for nothing but {@link CheckpointTape.dispose} afterwards.
   * @returns by variable; the caller owns the tensors. Parameters the loss does not depend on are absent.
   */
  backward(seeds: readonly Seed[]): Map<tf.Variable, tf.Tensor> {
    const flowing = new Map<number, tf.Tensor>();
    const parameterGradients = new Map<tf.Variable, tf.Tensor>();
    for (const { output, gradient } of seeds) accumulate(flowing, output.id, gradient.clone());
    try {
      for (let entry = this.entries.pop(); entry !== undefined; entry = this.entries.pop()) {
        const gradients = entry.outputs.map((output) => flowing.get(output.id));
        if (gradients.every((gradient) => gradient === undefined)) continue;
        // What stands twice among the inputs or parameters gets its whole gradient once.
        const inputs = [...new Set(entry.inputs.filter((input) => this.differentiable.has(input.id)))];
        const parameters = [...new Set(entry.parameters)];
        differentiate(entry, gradients, [...inputs, ...parameters]).forEach((gradient, i) => {
          if (gradient === undefined) return;
          if (i < inputs.length) accumulate(flowing, inputs[i]!.id, gradient);
          else accumulate(parameterGradients, parameters[i - inputs.length]!, gradient);
        });
        for (const output of entry.outputs) {
          flowing.get(output.id)?.dispose();
          flowing.delete(output.id);
          output.dispose();
        }
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

/** Vector-Jacobian product of one piece, by running it again under tfjs's tape. */
function differentiate(
  { piece, inputs }: Entry,
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
