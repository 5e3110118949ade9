// adapter_config.json of a LoRA adapter: what is understood, what is refused by name.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';

/** Settings of a LoRA adapter, with the meaning of the equally named PEFT settings. */
export interface PeftLoraConfig {
  /** Rank of modules that no {@link rankPattern} names. */
  r: number;
  loraAlpha: number;
  /** Dropout of the adapter's input in training, 0 to 1. */
  loraDropout: number;
  /** Ends of module paths, e.g. `q_proj`; or one regular expression for whole paths; or `all-linear`. */
  targetModules: readonly string[] | string;
  /** Exceptions from the targets, in the same two forms. */
  excludeModules: readonly string[] | string | null;
  /** Scaling by alpha / sqrt(rank) instead of alpha / rank. */
  useRslora: boolean;
  /** Other ranks by regular expressions for ends of module paths; the first that fits counts. */
  rankPattern: Readonly<Record<string, number>>;
  /** Other alphas, in the same way. */
  alphaPattern: Readonly<Record<string, number>>;
  /** The layers that are adapted; null for all. */
  layersToTransform: readonly number[] | null;
  /** Names of the list of layers in module paths, e.g. `layers`; empty for any. */
  layersPattern: readonly string[];
  baseModelNameOrPath: string | null;
  revision: string | null;
  taskType: string | null;
}

const names = z.array(z.string().min(1).max(1000)).max(10_000);
const namesOrPattern = z.union([names, z.string().min(1).max(10_000)]);
const rank = z.int().positive().max(65_536);
const patternOf = <T extends z.ZodType>(value: T) => z.record(z.string().min(1).max(1000), value);
const layers = z.union([
  z
    .int()
    .nonnegative()
    .transform((layer) => [layer]),
  z.array(z.int().nonnegative()).max(10_000),
]);

const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: rank.default(8),
  lora_alpha: z.number().positive().default(8),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: namesOrPattern,
  exclude_modules: namesOrPattern.nullish(),
  use_rslora: z.boolean().default(false),
  rank_pattern: patternOf(rank).default({}),
  alpha_pattern: patternOf(z.number().positive()).default({}),
  layers_to_transform: layers.nullish(),
  layers_pattern: z.union([z.string().transform((name) => [name]), names]).nullish(),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  task_type: z.string().nullish(),
});

/** Settings that change what an adapter computes and that are not supported: the reason by name. */
const refused = new Map([
  ['use_dora', 'DoRA (weight-decomposed) adapters'],
  ['use_qalora', 'QALoRA adapters'],
  ['modules_to_save', 'adapters that carry whole retrained modules'],
  ['lora_bias', 'adapters with a bias of their own'],
  ['fan_in_fan_out', 'transposed base weights (Conv1D)'],
  ['target_parameters', 'adapters of bare parameters'],
  ['trainable_token_indices', 'retrained token embeddings'],
  ['layer_replication', 'replicated layers'],
  ['megatron_config', 'Megatron layers'],
  ['alora_invocation_tokens', 'activated LoRA'],
]);

/** Settings that only say how an adapter was made or trained. */
const ignored = new Set([
  'auto_mapping',
  'bias',
  'corda_config',
  'eva_config',
  'inference_mode',
  'init_lora_weights',
  'loftq_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'runtime_config',
]);

/**
 * Checks a parsed adapter_config.json. Unknown settings are accepted only where they say nothing (null, false, empty).
 *
 * @throws MemGenError `peft-unsupported` for a setting that changes the computation in a way that is not implemented,
 * `peft-config` for a wrong or unknown one.
 */
export function parseAdapterConfig(json: Readonly<Record<string, unknown>>, path: string): PeftLoraConfig {
  refuseUnsupported(json, path);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw configError(path, z.prettifyError(parsed.error));
  const unknown = Object.keys(json).find((key) => !isKnown(key) && !saysNothing(json[key]));
  if (unknown !== undefined) throw configError(path, `the unknown setting "${unknown}"`);
  const { data } = parsed;
  const layersPattern = data.layers_pattern ?? [];
  const layersToTransform = data.layers_to_transform ?? [];
  if (typeof data.target_modules === 'string' && layersToTransform.length + layersPattern.length > 0) {
    throw configError(path, 'layers_to_transform or layers_pattern beside a regular expression in target_modules');
  }
  const odd = layersPattern.find((name) => !/^\w+$/.test(name));
  if (odd !== undefined) throw configError(path, `the layers_pattern ${JSON.stringify(odd)}, which is no plain name`);
  return {
    r: data.r,
    loraAlpha: data.lora_alpha,
    loraDropout: data.lora_dropout,
    targetModules: data.target_modules,
    excludeModules: data.exclude_modules ?? null,
    useRslora: data.use_rslora,
    rankPattern: data.rank_pattern,
    alphaPattern: data.alpha_pattern,
    layersToTransform: layersToTransform.length > 0 ? layersToTransform : null,
    layersPattern,
    baseModelNameOrPath: data.base_model_name_or_path ?? null,
    revision: data.revision ?? null,
    taskType: data.task_type ?? null,
  };
}

/** The adapter_config.json of a configuration, complete, as the PEFT library writes it. */
export function formatAdapterConfig(config: PeftLoraConfig): Record<string, unknown> {
  return {
    alpha_pattern: config.alphaPattern,
    auto_mapping: null,
    base_model_name_or_path: config.baseModelNameOrPath,
    bias: 'none',
    corda_config: null,
    eva_config: null,
    exclude_modules: config.excludeModules,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: config.layersPattern.length > 0 ? config.layersPattern : null,
    layers_to_transform: config.layersToTransform,
    loftq_config: {},
    lora_alpha: config.loraAlpha,
    lora_bias: false,
    lora_dropout: config.loraDropout,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: null,
    peft_type: 'LORA',
    qalora_group_size: 16,
    r: config.r,
    rank_pattern: config.rankPattern,
    revision: config.revision,
    target_modules: config.targetModules,
    target_parameters: null,
    task_type: config.taskType,
    trainable_token_indices: null,
    use_dora: false,
    use_qalora: false,
    use_rslora: config.useRslora,
  };
}

function refuseUnsupported(json: Readonly<Record<string, unknown>>, path: string): void {
  const { peft_type: kind = 'LORA', bias = 'none', init_lora_weights: initial } = json;
  const key = [...refused.keys()].find((name) => !saysNothing(json[name]));
  if (kind !== 'LORA') throw unsupported(path, 'adapters of this kind', 'peft_type', kind);
  if (key !== undefined) throw unsupported(path, refused.get(key) ?? key, key, json[key]);
  if (bias !== 'none') throw unsupported(path, 'adapters that retrain biases', 'bias', bias);
  // These start by changing the base weights, so the adapter alone does not say what the model computes.
  if (typeof initial === 'string' && /^(pissa|olora|corda|loftq|lora_ga)/i.test(initial)) {
    throw unsupported(path, 'adapters of changed base weights', 'init_lora_weights', initial);
  }
}

function isKnown(key: string): boolean {
  return Object.hasOwn(schema.shape, key) || refused.has(key) || ignored.has(key);
}

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function unsupported(path: string, what: string, key: string, value: unknown): MemGenError {
  return new MemGenError({
    code: 'peft-unsupported',
    where: path,
    message: `${what} are not supported`,
    got: `${key}: ${JSON.stringify(value)}`,
    hint: 'merge the adapter into its base model with the PEFT library, or train a plain LoRA adapter',
  });
}

function configError(path: string, got: string): MemGenError {
  return new MemGenError({
    code: 'peft-config',
    where: path,
    message: 'the adapter configuration is wrong',
    got,
    hint: 'correct the file or write the adapter again',
  });
}
