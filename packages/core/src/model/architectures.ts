// The architectures of the one decoder family, by what tells them apart.

/** Switched on, off, or by the field of config.json with that name. */
type Switch = boolean | 'attention_bias' | 'mlp_bias';

export interface Architecture {
  /** Class of the transformers library. */
  className: string;
  /** Bias of the query, key and value projections. */
  queryKeyValueBias: Switch;
  outputBias: Switch;
  feedForwardBias: Switch;
  /** Per-head RMS norm of queries and keys. */
  queryKeyNorm: boolean;
  /** Whether some layers go without rotated positions. */
  skipsRotary?: boolean;
  /** What transformers takes for absent fields, where that is not the default of all. */
  defaults?: Readonly<Record<string, unknown>>;
}

export const architectures = {
  llama: {
    className: 'LlamaForCausalLM',
    queryKeyValueBias: 'attention_bias',
    outputBias: 'attention_bias',
    feedForwardBias: 'mlp_bias',
    queryKeyNorm: false,
  },
  mistral: {
    className: 'MistralForCausalLM',
    queryKeyValueBias: false,
    outputBias: false,
    feedForwardBias: false,
    queryKeyNorm: false,
    defaults: { num_key_value_heads: 8, max_position_embeddings: 131072, sliding_window: 4096 },
  },
  qwen2: {
    className: 'Qwen2ForCausalLM',
    queryKeyValueBias: true,
    outputBias: false,
    feedForwardBias: false,
    queryKeyNorm: false,
    defaults: { max_position_embeddings: 32768 },
  },
  qwen3: {
    className: 'Qwen3ForCausalLM',
    queryKeyValueBias: 'attention_bias',
    outputBias: 'attention_bias',
    feedForwardBias: false,
    queryKeyNorm: true,
    defaults: { max_position_embeddings: 32768 },
  },
  smollm3: {
    className: 'SmolLM3ForCausalLM',
    queryKeyValueBias: 'attention_bias',
    outputBias: 'attention_bias',
    feedForwardBias: 'mlp_bias',
    queryKeyNorm: false,
    skipsRotary: true,
    defaults: { tie_word_embeddings: true, max_position_embeddings: 32768, rope_theta: 2_000_000 },
  },
} as const satisfies Record<string, Architecture>;

/** `model_type` of config.json. */
export type ModelType = keyof typeof architectures;

export function isModelType(name: string): name is ModelType {
  return Object.hasOwn(architectures, name);
}
