// Low-rank adapters (Hu et al. 2021) as views over shared frozen weights: y = W x + scaling * B (A x).
import { MemGenError, type Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { DecoderConfig } from './decoder-config.js';

/** Linear maps of a decoder layer that can be adapted, by their names in Hugging Face checkpoints. */
export const adaptableModules = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
] as const;
export type AdaptableModule = (typeof adaptableModules)[number];

/** One adapted map: `a [in, rank]`, `b [rank, out]`, both trainable. */
export interface LoraModule {
  a: tf.Variable<tf.Rank.R2>;
  b: tf.Variable<tf.Rank.R2>;
  /** alpha / rank, or alpha / sqrt(rank) for rank-stabilised LoRA. */
  scaling: number;
}

/** Settings of a new adapter, named as in PEFT's adapter_config.json. */
export interface LoraConfig {
  r: number;
  alpha: number;
  /** Rate at which inputs of the adapters are dropped in training. @default 0 */
  dropout?: number;
  /** Last parts of module names, e.g. `q_proj`. */
  targetModules: readonly string[];
}

/** Key of a module: layer and name, e.g. `layers.0.self_attn.q_proj`. */
export function loraKey(layer: number, module: AdaptableModule): string {
  return `layers.${layer}.${module}`;
}

/** Input and output sizes of an adaptable module. */
export function moduleShape(config: DecoderConfig, module: AdaptableModule): { input: number; output: number } {
  const { hiddenSize, intermediateSize } = config;
  const queries = config.heads * config.headSize;
  const keys = config.keyValueHeads * config.headSize;
  switch (module) {
    case 'self_attn.q_proj':
      return { input: hiddenSize, output: queries };
    case 'self_attn.k_proj':
    case 'self_attn.v_proj':
      return { input: hiddenSize, output: keys };
    case 'self_attn.o_proj':
      return { input: queries, output: hiddenSize };
    case 'mlp.gate_proj':
    case 'mlp.up_proj':
      return { input: hiddenSize, output: intermediateSize };
    case 'mlp.down_proj':
      return { input: intermediateSize, output: hiddenSize };
  }
}

/** An adapter: its modules by {@link loraKey}. Owns its variables. */
export class LoraAdapter {
  constructor(
    readonly config: LoraConfig,
    readonly modules: ReadonlyMap<string, LoraModule>,
  ) {}

  /**
   * A fresh adapter as PEFT initialises it: A uniform in +-1/sqrt(in), B zero, so that it changes nothing at first.
   * @throws MemGenError `lora-target` for a target that names no module.
   */
  static initialize(decoder: DecoderConfig, config: LoraConfig, random: Random): LoraAdapter {
    const modules = new Map<string, LoraModule>();
    for (const [key, { input, output }] of LoraAdapter.targets(decoder, config.targetModules)) {
      const bound = 1 / Math.sqrt(input);
      const stream = random.fork(key);
      const values = Float32Array.from({ length: input * config.r }, () => (stream.float() * 2 - 1) * bound);
      modules.set(key, {
        a: tf.tidy(() => tf.variable(tf.tensor2d(values, [input, config.r]))),
        b: tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R2>([config.r, output]))),
        scaling: config.alpha / config.r,
      });
    }
    return new LoraAdapter(config, modules);
  }

  /**
   * The modules that target names choose in every layer, by {@link loraKey}, with their sizes.
   * @throws MemGenError `lora-target` for a target that names no module.
   */
  static targets(
    decoder: DecoderConfig,
    targetModules: readonly string[],
  ): Map<string, { input: number; output: number }> {
    const chosen = targetModules.map((target) => {
      const module = adaptableModules.find((name) => name === target || name.endsWith(`.${target}`));
      if (module !== undefined) return module;
      throw new MemGenError({
        code: 'lora-target',
        message: 'no such module to adapt',
        got: target,
        expected: adaptableModules.map((name) => name.split('.')[1]).join(', '),
      });
    });
    const found = new Map<string, { input: number; output: number }>();
    for (let layer = 0; layer < decoder.layers; layer++) {
      for (const module of chosen) found.set(loraKey(layer, module), moduleShape(decoder, module));
    }
    return found;
  }

  /** Variables of one layer, in a fixed order. */
  layerParameters(layer: number): tf.Variable[] {
    return adaptableModules.flatMap((module) => {
      const found = this.modules.get(loraKey(layer, module));
      return found === undefined ? [] : [found.a, found.b];
    });
  }

  /** All variables by name: `layers.0.self_attn.q_proj.lora_A` and `...lora_B`. */
  parameters(): Map<string, tf.Variable> {
    const named = new Map<string, tf.Variable>();
    for (const [key, { a, b }] of this.modules) {
      named.set(`${key}.lora_A`, a);
      named.set(`${key}.lora_B`, b);
    }
    return named;
  }

  dispose(): void {
    for (const { a, b } of this.modules.values()) tf.dispose([a, b]);
  }
}
