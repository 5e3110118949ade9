// The linear maps of a layer: several modules side by side, each perhaps with an adapter; forwards and backwards.
import * as tf from '@tensorflow/tfjs';
import { linear, multiplyByWeight, type LinearWeights } from '../ops/linear.js';
import { isTrainable } from '../ops/trainable.js';
import { drop, dropoutMask } from './dropout.js';
import { adaptableModules, loraKey, type AdaptableModule, type LoraAdapter, type LoraModule } from './lora.js';

/** An adapter in use, with the seed of this pass when its dropout is on. */
export interface AdapterPass {
  adapter: LoraAdapter;
  /** Dropout is active only when given. */
  dropoutSeed?: number;
}

/** One adapter, or several over the same base whose contributions add up. */
export type AdapterPasses = AdapterPass | readonly AdapterPass[];

/** As a list. */
export function adapterPasses(passes: AdapterPasses | undefined): readonly AdapterPass[] {
  if (passes === undefined) return [];
  return 'adapter' in passes ? [passes] : passes;
}

/** Takes the gradient of a trainable tensor. */
export type CollectGradient = (variable: tf.Variable, gradient: tf.Tensor) => void;

interface Adapted {
  module: LoraModule;
  rate: number;
  seed: number;
}

/** `[in, out]` weights of modules that read the same input, with their adapters. */
export class Projection {
  /** By module. */
  private readonly adapted: readonly (readonly Adapted[])[];

  constructor(
    private readonly weights: LinearWeights,
    modules: readonly AdaptableModule[],
    private readonly sizes: readonly number[],
    layer: number,
    passes: AdapterPasses | undefined,
  ) {
    this.adapted = modules.map((name) =>
      adapterPasses(passes).flatMap(({ adapter, dropoutSeed }) => {
        const module = adapter.modules.get(loraKey(layer, name));
        if (module === undefined) return [];
        const seed = (dropoutSeed ?? 0) + layer * adaptableModules.length + adaptableModules.indexOf(name);
        return [{ module, seed, rate: dropoutSeed === undefined ? 0 : (adapter.config.dropout ?? 0) }];
      }),
    );
  }

  private get isPlain(): boolean {
    return this.adapted.every((adapted) => adapted.length === 0);
  }

  /** Whether the gradient needs the input again. */
  get usesInput(): boolean {
    return isTrainable(this.weights.weight) || !this.isPlain;
  }

  /** `[rows, in] -> [rows, out]` */
  apply(input: tf.Tensor2D): tf.Tensor2D {
    const projected = linear(input, this.weights);
    if (this.isPlain) return projected;
    const parts = this.adapted.length === 1 ? [projected] : tf.split<tf.Tensor2D>(projected, [...this.sizes], 1);
    const add = (sum: tf.Tensor2D, { module, rate, seed }: Adapted): tf.Tensor2D => {
      const dropped = drop(input, dropoutMask(input.shape, rate, seed));
      const low = tf.mul<tf.Tensor2D>(tf.matMul(dropped, module.a), module.scaling);
      return tf.add(sum, tf.matMul(low, module.b));
    };
    const sums = parts.map((part, i) => this.adapted[i]!.reduce(add, part));
    return (sums.length === 1 ? sums[0] : tf.concat(sums, 1)) as tf.Tensor2D;
  }

  /**
   * @param input - what {@link Projection.apply} read; needed only if {@link Projection.usesInput}.
   * @returns the gradient with respect to the input.
   */
  pullback(dOutput: tf.Tensor2D, input: tf.Tensor2D | undefined, collect: CollectGradient): tf.Tensor2D {
    const { weight, bias } = this.weights;
    let dInput: tf.Tensor2D = multiplyByWeight(dOutput, this.weights, true);
    if (isTrainable(weight)) collect(weight, tf.matMul(input!, dOutput, true, false));
    if (bias !== undefined && isTrainable(bias)) collect(bias, tf.sum(dOutput, 0));
    if (this.isPlain) return dInput;
    const parts = this.adapted.length === 1 ? [dOutput] : tf.split(dOutput, [...this.sizes], 1);
    const each = this.adapted.flatMap((adapted, i) => adapted.map((one) => ({ ...one, dSum: parts[i]! })));
    for (const { module, rate, seed, dSum } of each) {
      const mask = dropoutMask(input!.shape, rate, seed);
      const dropped = drop(input!, mask);
      // Scaled where there are few columns.
      const low = tf.mul<tf.Tensor2D>(tf.matMul(dropped, module.a), module.scaling);
      const dLow = tf.mul<tf.Tensor2D>(tf.matMul(dSum, module.b, false, true), module.scaling);
      collect(module.b, tf.matMul(low, dSum, true, false));
      collect(module.a, tf.matMul(dropped, dLow, true, false));
      dInput = tf.add(dInput, drop(tf.matMul<tf.Tensor2D>(dLow, module.a, false, true), mask));
    }
    return dInput;
  }
}
