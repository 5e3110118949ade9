// config.json of a Hugging Face folder, read into the switches of the one decoder family that this package runs.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';
import { architectures, isModelType, type Architecture, type ModelType } from './architectures.js';
import { readRotarySettings, type RotarySettings } from './rotary-frequencies.js';
import { refuseUnsupportedFields } from './unsupported-fields.js';

/** What a decoder computes. Sizes are counts; field names follow config.json in camel case. */
export interface DecoderConfig {
  modelType: ModelType;
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  rmsNormEpsilon: number;
  tiedEmbeddings: boolean;
  /** Bias of the query, key and value projections. */
  queryKeyValueBias: boolean;
  outputBias: boolean;
  feedForwardBias: boolean;
  /** Per-head RMS norm of queries and keys (Qwen3). */
  queryKeyNorm: boolean;
  rotary: RotarySettings;
  /** Per layer: whether positions are rotated in (SmolLM3 leaves some layers without). */
  layerUsesRotary: readonly boolean[];
  maxPositions: number;
}

// Bounds far above any model, so that a damaged file cannot make anything huge before its tensors are looked at.
const count = z
  .number()
  .int()
  .positive()
  .max(2 ** 31);
const fewer = count.max(2 ** 10);
const rawConfig = z.object({
  model_type: z.string(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: fewer,
  num_attention_heads: fewer,
  num_key_value_heads: fewer.nullish(),
  head_dim: fewer.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  max_position_embeddings: count.default(2048),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  sliding_window: count.nullish(),
  no_rope_layers: z.array(z.number()).nullish(),
  no_rope_layer_interval: count.nullish(),
});

type RawConfig = z.infer<typeof rawConfig>;

/**
 * @param json - parsed config.json.
 * @param where - file name for messages.
 * @throws MemGenError `model-config` for a missing or wrong field, `model-architecture` for what is not supported.
 */
export function readDecoderConfig(json: unknown, where = 'config.json'): DecoderConfig {
  const record = z.record(z.string(), z.unknown()).safeParse(json).data ?? {};
  const type = readModelType(record, where);
  const architecture: Architecture | undefined = type && architectures[type];
  refuseUnsupportedFields(record, where);
  const parsed = rawConfig.safeParse(architecture === undefined ? json : { ...architecture.defaults, ...record });
  if (type === undefined || architecture === undefined || !parsed.success) {
    const message = parsed.error === undefined ? 'model_type is missing' : z.prettifyError(parsed.error);
    throw new MemGenError({ code: 'model-config', where, message });
  }
  const raw = parsed.data;
  if (type === 'mistral') refuseShortWindow(raw, where);
  const heads = raw.num_attention_heads;
  const keyValueHeads = raw.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: num_key_value_heads`,
      message: 'the number of heads must be a multiple of the number of key-value heads',
      got: `${heads} heads, ${keyValueHeads} key-value heads`,
    });
  }
  if (raw.head_dim == null && raw.hidden_size % heads !== 0) {
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: hidden_size`,
      message: 'the hidden size must be a multiple of the number of heads when head_dim is absent',
      got: `${raw.hidden_size} and ${heads} heads`,
    });
  }
  const headSize = raw.head_dim ?? raw.hidden_size / heads;
  if (headSize % 2 !== 0 || headSize > 2 ** 10) {
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: head_dim`,
      message: 'the size of a head must be even, for its channels are rotated in pairs',
      got: String(headSize),
      expected: 'an even number up to 1024',
    });
  }
  return {
    modelType: type,
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    keyValueHeads,
    headSize,
    rmsNormEpsilon: raw.rms_norm_eps,
    tiedEmbeddings: raw.tie_word_embeddings ?? false,
    queryKeyValueBias: isOn(architecture.queryKeyValueBias, raw),
    outputBias: isOn(architecture.outputBias, raw),
    feedForwardBias: isOn(architecture.feedForwardBias, raw),
    queryKeyNorm: architecture.queryKeyNorm,
    rotary: readRotarySettings(raw, headSize, where),
    layerUsesRotary: rotaryLayers(raw, architecture, where),
    maxPositions: raw.max_position_embeddings,
  };
}

/** Undefined where there is none at all. */
function readModelType(json: Readonly<Record<string, unknown>>, where: string): ModelType | undefined {
  const { model_type: type, architectures: classes } = json;
  if (typeof type !== 'string') return undefined;
  if (!isModelType(type)) {
    throw new MemGenError({
      code: 'model-architecture',
      message: 'this architecture is not supported',
      where: `${where}: model_type`,
      got: JSON.stringify(type),
      expected: Object.keys(architectures).join(', '),
      hint: 'take a model of one of these families',
    });
  }
  const { className } = architectures[type];
  const names: unknown[] = Array.isArray(classes) ? classes : [];
  if (names.length > 0 && !names.includes(className)) {
    throw new MemGenError({
      code: 'model-architecture',
      message: 'this is not the causal language model of its architecture',
      where: `${where}: architectures`,
      got: JSON.stringify(names).slice(0, 200),
      expected: className,
      hint: 'take the causal language model of the family',
    });
  }
  return type;
}

/** Mistral's window says nothing where it is as long as any sequence. */
function refuseShortWindow({ sliding_window: window, max_position_embeddings: positions }: RawConfig, where: string) {
  if (window == null || positions <= window) return;
  throw new MemGenError({
    code: 'model-architecture',
    where: `${where}: sliding_window`,
    message: 'sliding-window attention is not supported',
    got: `a window of ${window} for ${positions} positions`,
    expected: 'null, or a window that is not shorter than max_position_embeddings',
    hint: `for sequences of up to ${window} tokens, lower max_position_embeddings to that`,
  });
}

function isOn(flag: Architecture['outputBias'], raw: RawConfig): boolean {
  return typeof flag === 'boolean' ? flag : raw[flag];
}

/** SmolLM3: a list (1 = rotary), or every n-th layer without. */
function rotaryLayers(raw: RawConfig, { skipsRotary = false }: Architecture, where: string): boolean[] {
  const all = Array.from({ length: raw.num_hidden_layers }, () => true);
  if (!skipsRotary) return all;
  if (raw.no_rope_layers != null) {
    if (raw.no_rope_layers.length !== raw.num_hidden_layers) {
      throw new MemGenError({
        code: 'model-config',
        where: `${where}: no_rope_layers`,
        message: 'one entry per layer is needed',
        got: `${raw.no_rope_layers.length} entries`,
        expected: `${raw.num_hidden_layers}`,
      });
    }
    return raw.no_rope_layers.map((flag) => flag !== 0);
  }
  const interval = raw.no_rope_layer_interval ?? 4;
  return all.map((_, layer) => (layer + 1) % interval !== 0);
}
