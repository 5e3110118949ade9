// config.json of a Hugging Face folder, read into the switches of the one decoder family that this package runs.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';
import { readRotarySettings, type RotarySettings } from './rotary-frequencies.js';

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

const modelTypes = ['llama', 'qwen2', 'qwen3', 'smollm3'] as const;
export type ModelType = (typeof modelTypes)[number];

// Bounds far above any model, so that a damaged file cannot make anything huge before its tensors are looked at.
const count = z
  .number()
  .int()
  .positive()
  .max(2 ** 31);
const fewer = count.max(2 ** 16);
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
  hidden_act: z.string().default('silu'),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  max_position_embeddings: count.default(2048),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  use_sliding_window: z.boolean().default(false),
  no_rope_layers: z.array(z.number()).nullish(),
  no_rope_layer_interval: count.nullish(),
});

/**
 * @param json - parsed config.json.
 * @param where - file name for messages.
 * @throws MemGenError `model-config` for a missing or wrong field, `model-architecture` for what is not supported.
 */
export function readDecoderConfig(json: unknown, where = 'config.json'): DecoderConfig {
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof modelType === 'string' && !(modelTypes as readonly string[]).includes(modelType)) {
    throw new MemGenError({
      code: 'model-architecture',
      message: 'this architecture is not supported',
      where: `${where}: model_type`,
      got: JSON.stringify(modelType),
      expected: modelTypes.join(', '),
    });
  }
  const parsed = rawConfig.safeParse(json);
  if (!parsed.success) {
    throw new MemGenError({ code: 'model-config', where, message: z.prettifyError(parsed.error) });
  }
  const raw = parsed.data;
  const type = raw.model_type as ModelType;
  refuse(where, 'use_sliding_window', raw.use_sliding_window, 'sliding-window attention');
  refuse(where, 'hidden_act', raw.hidden_act !== 'silu', `the activation ${raw.hidden_act}`);
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
  if (headSize % 2 !== 0 || headSize > 2 ** 16) {
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: head_dim`,
      message: 'the size of a head must be even, for its channels are rotated in pairs',
      got: String(headSize),
      expected: 'an even number up to 65536',
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
    // transformers' default where the field is absent
    tiedEmbeddings: raw.tie_word_embeddings ?? type === 'smollm3',
    queryKeyValueBias: type === 'qwen2' || raw.attention_bias,
    outputBias: type !== 'qwen2' && raw.attention_bias,
    feedForwardBias: raw.mlp_bias,
    queryKeyNorm: type === 'qwen3',
    rotary: readRotarySettings(raw, headSize, where),
    layerUsesRotary: rotaryLayers(raw, type, where),
    maxPositions: raw.max_position_embeddings,
  };
}

function refuse(where: string, key: string, present: boolean, what: string): void {
  if (!present) return;
  throw new MemGenError({ code: 'model-architecture', where: `${where}: ${key}`, message: `${what} is not supported` });
}

/** SmolLM3: a list (1 = rotary), or every n-th layer without. */
function rotaryLayers(raw: z.infer<typeof rawConfig>, type: ModelType, where: string): boolean[] {
  const all = Array.from({ length: raw.num_hidden_layers }, () => true);
  if (type !== 'smollm3') return all;
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
