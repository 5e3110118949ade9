// The config.json that a GGUF file's metadata stand for.
import type { GgufFile } from './gguf-file.js';
import { MetadataReader } from './metadata-reader.js';
import type { GgufArchitecture } from './tensor-names.js';
import { toRotaryScaling } from './rotary-scaling.js';

const classes = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  smollm3: 'SmolLM3ForCausalLM',
} as const satisfies Record<GgufArchitecture, string>;

/** The one SmolLM3 leaves every fourth layer without rotary embedding; the files do not say it. */
const noRotaryInterval = 4;

/**
 * What the Hugging Face config.json of this model says, with its key names. The vocabulary size is that of the stored
 * embedding; embeddings are tied when the file has no `output.weight`.
 *
 * @throws MemGenError `gguf-metadata` for a missing or impossible value.
 */
export function ggufToConfig(
  file: Pick<GgufFile, 'architecture' | 'metadata' | 'tensors' | 'rotaryDivisors' | 'path'>,
): Record<string, unknown> {
  const { architecture, tensors } = file;
  const read = new MetadataReader(file);
  const heads = read.count('attention.head_count');
  const hiddenSize = read.count('embedding_length');
  const headSize = read.optionalCount('attention.key_length') ?? hiddenSize / heads;
  if (!Number.isInteger(headSize)) throw read.error('its heads do not divide its width', `${heads} for ${hiddenSize}`);
  const rotatedSize = read.optionalCount('rope.dimension_count') ?? headSize;
  const embedding = tensors.get('model.embed_tokens.weight')?.shape;
  if (embedding === undefined) throw read.error('the file has no token_embd.weight');
  return {
    architectures: [classes[architecture]],
    model_type: architecture,
    vocab_size: embedding[0],
    hidden_size: hiddenSize,
    intermediate_size: read.count('feed_forward_length'),
    num_hidden_layers: read.count('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: read.optionalCount('attention.head_count_kv') ?? heads,
    head_dim: headSize,
    max_position_embeddings: read.count('context_length'),
    rms_norm_eps: read.real('attention.layer_norm_rms_epsilon') ?? 1e-6,
    rope_theta: read.real('rope.freq_base') ?? 10000,
    ...(rotatedSize === headSize ? {} : { partial_rotary_factor: rotatedSize / headSize }),
    rope_scaling: toRotaryScaling(read, file.rotaryDivisors),
    ...(architecture === 'smollm3' && { no_rope_layer_interval: noRotaryInterval }),
    hidden_act: 'silu',
    attention_bias: architecture !== 'qwen2' && tensors.has('model.layers.0.self_attn.q_proj.bias'),
    mlp_bias: tensors.has('model.layers.0.mlp.up_proj.bias'),
    tie_word_embeddings: !tensors.has('lm_head.weight'),
    bos_token_id: read.token('bos'),
    eos_token_id: endTokens(read),
    pad_token_id: read.token('padding'),
    torch_dtype: 'float32',
  };
}

function endTokens(read: MetadataReader): number | number[] | null {
  const ids = ['eos', 'eot'].map((name) => read.token(name)).filter((id) => id !== null);
  const different = [...new Set(ids)];
  return different.length > 1 ? different : (different[0] ?? null);
}
