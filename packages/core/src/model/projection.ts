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

/** What {@link linearizeProjection} applies: `[in, out]` weights of modules that read the same input. */
export interface Projection {
  weights: LinearWeights;
  /** Columns that each module makes, in order. */
  modules: readonly (readonly [name: AdaptableModule, columns: number])[];
  layer: number;
  adapter: AdapterPasses | undefined;
}

export interface LinearizedProjection {
  /** `[rows, out]` */
  output: tf.Tensor2D;
  /** Tensors that {@link LinearizedProjection.pullback} needs. */
  saved: tf.Tensor[];
  /** @returns the gradient with respect to the input. */
  pullback: (dOutput: tf.Tensor2D, collect: CollectGradient) => tf.Tensor2D;
}

/** `input [rows, in]` by the weights, and by the adapters of the modules. */
export function linearizeProjection(input: tf.Tensor2D, projection: Projection): LinearizedProjection {
  const { weights } = projection;
  const { weight, bias } = weights;
  const adapters = linearizeAdapters(input, projection);
  const projected = linear(input, weights);
  return {
    output: adapters === undefined ? projected : tf.add(projected, adapters.output),
    saved: [...(isTrainable(weight) || adapters !== undefined ? [input] : []), ...(adapters?.saved ?? [])],
    pullback: (dOutput, collect) => {
      const dInput = multiplyByWeight(dOutput, weights, true);
      if (isTrainable(weight)) collect(weight, tf.matMul(input, dOutput, true, false));
      if (bias !== undefined && isTrainable(bias)) collect(bias, tf.sum(dOutput, 0));
      return adapters === undefined ? dInput : adapters.addPullback(dInput, dOutput, collect);
    },
  };
}

/** One module's adapter: which columns it adds to, and what it drops of its input. */
interface Adapted extends LoraModule {
  from: number;
  columns: number;
  mask: tf.Tensor2D | undefined;
}

/**
 * The sum of the adapters' contributions. Each drops units of its own, so each multiplies by its `a` alone; their `b` lie
 * in one matrix, every module's in its own rows and columns, so that the output need not be taken apart for them.
 */
function linearizeAdapters(input: tf.Tensor2D, projection: Projection) {
  const adapted = adaptedModules(input, projection);
  if (adapted.length === 0) return undefined;
  const width = projection.modules.reduce((sum, [, columns]) => sum + columns, 0);
  const low = scale(
    joined(
      adapted.map(({ a, mask }) => tf.matMul<tf.Tensor2D>(drop(input, mask), a)),
      1,
    ),
    adapted,
  );
  const blocks = joined(
    adapted.map(({ b, from, columns }) => (columns === width ? tf.clone(b) : tf.pad(b, [[0, 0], [from, width - from - columns]]))), // prettier-ignore
    0,
  );
  const addPullback = (dInput: tf.Tensor2D, dOutput: tf.Tensor2D, collect: CollectGradient): tf.Tensor2D => {
    const dLow = scale(tf.matMul(dOutput, blocks, false, true), adapted);
    const dBlocks: tf.Tensor2D = tf.matMul(low, dOutput, true, false);
    let start = 0;
    return adapted.reduce((sum, { a, b, from, columns, mask }) => {
      const rank = a.shape[1];
      const dOwn = tf.slice(dLow, [0, start], [-1, rank]);
      collect(b, tf.slice(dBlocks, [start, from], [rank, columns]));
      collect(a, tf.matMul(drop(input, mask), dOwn, true, false));
      start += rank;
      return tf.add(sum, drop(tf.matMul<tf.Tensor2D>(dOwn, a, false, true), mask));
    }, dInput);
  };
  const masks = adapted.flatMap(({ mask }) => mask ?? []);
  return { output: tf.matMul(low, blocks), saved: [low, blocks, ...masks], addPullback };
}

function adaptedModules(input: tf.Tensor2D, { modules, layer, adapter }: Projection): Adapted[] {
  let from = 0;
  return modules.flatMap(([name, columns]) => {
    const found = adapterPasses(adapter).flatMap(({ adapter: { modules, config }, dropoutSeed }) => {
      const module = modules.get(loraKey(layer, name));
      if (module === undefined) return [];
      const seed = (dropoutSeed ?? 0) + layer * adaptableModules.length + adaptableModules.indexOf(name);
      const rate = dropoutSeed === undefined ? 0 : (config.dropout ?? 0);
      return [{ ...module, from, columns, mask: dropoutMask<tf.Rank.R2>(input.shape, rate, seed) }];
    });
    from += columns;
    return found;
  });
}

/** Multiplies the columns of each module by its scaling. */
function scale(low: tf.Tensor2D, adapted: readonly Adapted[]): tf.Tensor2D {
  const [first] = adapted;
  if (adapted.every(({ scaling }) => scaling === first!.scaling)) return tf.mul(low, first!.scaling);
  return tf.mul(low, tf.tensor1d(adapted.flatMap(({ a, scaling }) => Array<number>(a.shape[1]).fill(scaling))));
}

function joined(parts: tf.Tensor2D[], axis: number): tf.Tensor2D {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, axis);
}
