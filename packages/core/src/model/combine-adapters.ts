// One adapter out of several, as PEFT's add_weighted_adapter does with "cat": ranks follow each other, nothing is lost.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { LoraAdapter, type LoraConfig, type LoraModule } from './lora.js';

/** An adapter and how strongly it counts. */
export interface WeightedAdapter {
  adapter: LoraAdapter;
  /** Any number, also negative. @default 1 */
  weight?: number;
}

/**
 * A new adapter that adds the weighted sum of what the given ones add, exactly: the rank of a module is the sum of its
 * ranks. Weights and scalings go into B, so the new scaling is 1. Dropout is left out.
 * @throws MemGenError `adapter-shape` for adapters of different models, `adapter-combination` for none.
 */
export function combineAdapters(weighted: readonly WeightedAdapter[]): LoraAdapter {
  const keys = [...new Set(weighted.flatMap(({ adapter }) => [...adapter.modules.keys()]))];
  if (keys.length === 0) {
    throw new MemGenError({
      code: 'adapter-combination',
      message: 'there is no adapter to combine',
      expected: 'one adapter or more, with modules',
    });
  }
  const parts = new Map(keys.map((key) => [key, partsOf(key, weighted)]));
  const modules = new Map<string, LoraModule>();
  for (const [key, found] of parts) {
    tf.tidy(() => {
      const a = tf.concat2d(
        found.map(({ module }) => module.a),
        1,
      );
      const b = tf.concat2d(
        found.map(({ module, weight }) => tf.mul<tf.Tensor2D>(module.b, module.scaling * weight)),
        0,
      );
      modules.set(key, { a: tf.variable(a), b: tf.variable(b), scaling: 1 });
    });
  }
  return new LoraAdapter(configOf(modules), modules);
}

/** What the adapters have for a module. */
function partsOf(key: string, weighted: readonly WeightedAdapter[]): { module: LoraModule; weight: number }[] {
  const parts = weighted.flatMap(({ adapter, weight = 1 }) => {
    const module = adapter.modules.get(key);
    return module === undefined ? [] : [{ module, weight }];
  });
  const sizes = new Set(parts.map(({ module: { a, b } }) => `${a.shape[0]} to ${b.shape[1]}`));
  if (sizes.size === 1) return parts;
  throw new MemGenError({
    code: 'adapter-shape',
    where: key,
    message: 'the adapters are not of the same model',
    got: [...sizes].join('; '),
    hint: 'combine adapters of one base model',
  });
}

/** Modules in full, because the adapters may have meant different ones; alpha is the rank, so that the scaling is 1. */
function configOf(modules: ReadonlyMap<string, LoraModule>): LoraConfig {
  const ranks = [...modules].map(([key, { a }]): [string, number] => [key, a.shape[1]]);
  const rank = Math.max(...ranks.map(([, rank]) => rank));
  const smaller = Object.fromEntries(ranks.filter(([, own]) => own !== rank));
  const targetModules = [...modules.keys()];
  return {
    r: rank,
    alpha: rank,
    targetModules,
    ...(ranks.some(([, own]) => own !== rank) && { rankPattern: smaller, alphaPattern: smaller }),
  };
}
