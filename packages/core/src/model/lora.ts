// Low-rank adapters (Hu et al. 2021) as views over shared frozen weights: y = W x + scaling * B (A x).
import { MemGenError, type Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { findTargetModules, loraRank, loraScaling, type PeftLoraConfig } from '../formats/peft/index.js';
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
  /** Last parts of module names, e.g. `q_proj`; or one regular expression for whole paths; or `all-linear`. */
  targetModules: readonly string[] | string;
  /** Exceptions from the targets, in the same forms. */
  excludeModules?: readonly string[] | string;
  /** Rank-stabilised LoRA (arXiv 2312.03732): scaling by alpha / sqrt(rank). @default false */
  rslora?: boolean;
  /** Other ranks by regular expressions for ends of module paths; the first that fits counts. */
  rankPattern?: Readonly<Record<string, number>>;
  /** Other alphas, in the same way. */
  alphaPattern?: Readonly<Record<string, number>>;
  /** @default all layers */
  layersToTransform?: readonly number[];
}

/** What an adapter does to one module. */
export interface LoraTarget {
  input: number;
  output: number;
  rank: number;
  scaling: number;
}

/** The same settings as adapter_config.json has them. */
export function toPeftConfig(config: LoraConfig): PeftLoraConfig {
  return {
    r: config.r,
    loraAlpha: config.alpha,
    loraDropout: config.dropout ?? 0,
    targetModules: config.targetModules,
    excludeModules: config.excludeModules ?? null,
    useRslora: config.rslora ?? false,
    rankPattern: config.rankPattern ?? {},
    alphaPattern: config.alphaPattern ?? {},
    layersToTransform: config.layersToTransform ?? null,
    layersPattern: [],
    baseModelNameOrPath: null,
    revision: null,
    taskType: 'CAUSAL_LM',
  };
}

/** The reverse of {@link toPeftConfig}; what does not differ from its default is left out. */
export function fromPeftConfig(peft: PeftLoraConfig): LoraConfig {
  return {
    r: peft.r,
    alpha: peft.loraAlpha,
    dropout: peft.loraDropout,
    targetModules: peft.targetModules,
    ...(peft.excludeModules !== null && { excludeModules: peft.excludeModules }),
    ...(peft.useRslora && { rslora: true }),
    ...(Object.keys(peft.rankPattern).length > 0 && { rankPattern: peft.rankPattern }),
    ...(Object.keys(peft.alphaPattern).length > 0 && { alphaPattern: peft.alphaPattern }),
    ...(peft.layersToTransform !== null && { layersToTransform: peft.layersToTransform }),
  };
}

/** Path of a module in the base model, as PEFT names it. */
export function modulePath(key: string): string {
  return `model.${key}`;
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
    for (const [key, { input, output, rank, scaling }] of LoraAdapter.targets(decoder, config)) {
      const bound = 1 / Math.sqrt(input);
      const stream = random.fork(key);
      const values = Float32Array.from({ length: input * rank }, () => (stream.float() * 2 - 1) * bound);
      modules.set(key, {
        a: tf.tidy(() => tf.variable(tf.tensor2d(values, [input, rank]))),
        b: tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R2>([rank, output]))),
        scaling,
      });
    }
    return new LoraAdapter(config, modules);
  }

  /**
   * The modules that an adapter of these settings adapts, by {@link loraKey}, layer by layer.
   * @throws MemGenError `lora-target` when the settings, or one of the names in them, mean no module.
   */
  static targets(decoder: DecoderConfig, config: LoraConfig): Map<string, LoraTarget> {
    const keys = Array.from({ length: decoder.layers }, (_, layer) =>
      adaptableModules.map((module) => ({ key: loraKey(layer, module), ...moduleShape(decoder, module) })),
    ).flat();
    const peft = toPeftConfig(config);
    const paths = keys.map(({ key }) => modulePath(key));
    const names = typeof config.targetModules === 'string' ? [config.targetModules] : config.targetModules;
    const chosen = new Set(findTargetModules(peft, paths));
    for (const name of names) {
      const alone = typeof config.targetModules === 'string' ? name : [name];
      const isKnown = findTargetModules({ ...peft, targetModules: alone, excludeModules: null }, paths).length > 0;
      if (isKnown && chosen.size > 0) continue;
      throw new MemGenError({
        code: 'lora-target',
        message: 'no such module to adapt',
        got: isKnown ? `${name}, but all are excluded` : name,
        expected: adaptableModules.map((module) => module.split('.')[1]).join(', '),
      });
    }
    const targets = new Map<string, LoraTarget>();
    for (const { key, input, output } of keys) {
      const path = modulePath(key);
      if (!chosen.has(path)) continue;
      targets.set(key, { input, output, rank: loraRank(peft, path), scaling: loraScaling(peft, path) });
    }
    return targets;
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
