// The recipe of the tiny reasoner, whole: change a number here and `pnpm pretrain` makes another model.
import { firstMix, mainMix } from '../world/pretraining-rows.js';

/** `config.json`: Qwen2's architecture, because its biases carry the attention prior. */
export const architecture = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  vocab_size: 768,
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  hidden_act: 'silu',
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
  use_sliding_window: false,
  bos_token_id: 765,
  eos_token_id: 767,
  pad_token_id: 765,
  torch_dtype: 'bfloat16',
} as const;

export const recipe = {
  seed: 1,
  steps: 3600,
  /** Rows of one optimizer step. */
  batchRows: 24,
  /** This part of the steps teaches to read short price lists; then come all families. */
  firstPart: 0.15,
  firstMix,
  mainMix,
  embeddingDeviation: 0.05,
  /** Keys start with this correlation to queries. */
  keyTie: 0.8,
  /** Strength of the head that starts out looking at the previous token. */
  previousTokenHead: 4,
  warmupSteps: 50,
  /** The rates fall linearly to 0 over this last part of the steps. */
  decayPart: 0.6,
  muon: { learningRate: 0.02, momentum: 0.95 },
  adamW: { learningRate: 0.003, betas: [0.9, 0.98] as [number, number] },
  clipNorm: 1,
} as const;
