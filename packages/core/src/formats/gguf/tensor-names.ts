// GGUF names of tensors and their Hugging Face names, for the decoders of the Llama kind.
import { MemGenError } from '@memgen/common';

/** Architectures whose tensors are renamed here. */
export type GgufArchitecture = 'llama' | 'qwen2' | 'qwen3' | 'smollm3';

const architectures: readonly string[] = ['llama', 'qwen2', 'qwen3', 'smollm3'] satisfies GgufArchitecture[];

const wholeModel = new Map([
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]);

const inLayer = new Map([
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]);

/** @throws MemGenError `gguf-architecture`. */
export function checkArchitecture(architecture: unknown, path: string): GgufArchitecture {
  if (isArchitecture(architecture)) return architecture;
  throw new MemGenError({
    code: 'gguf-architecture',
    where: path,
    message: 'models of this architecture cannot be read',
    got: typeof architecture === 'string' ? architecture : 'no general.architecture',
    expected: architectures.join(', '),
    hint: 'choose a model of one of these architectures, or give the Hugging Face folder of this one',
  });
}

function isArchitecture(value: unknown): value is GgufArchitecture {
  return typeof value === 'string' && architectures.includes(value);
}

/**
 * The Hugging Face name of a tensor; undefined for the rotary tables that some files carry and that the configuration
 * says as well.
 *
 * @throws MemGenError `gguf-tensor` for a tensor that such a model does not have.
 */
export function toHuggingFaceName(name: string, path: string): string | undefined {
  const [, layer, module = '', kind = ''] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (module === 'rope_freqs' || module === 'attn_rot_embd') return undefined;
  const renamed = layer === undefined ? wholeModel.get(module) : inLayer.get(module);
  if (renamed !== undefined) return `${layer === undefined ? '' : `model.layers.${Number(layer)}.`}${renamed}.${kind}`;
  throw new MemGenError({
    code: 'gguf-tensor',
    where: path,
    message: `a tensor of this model is not understood`,
    got: name,
    hint: name.includes('_exp')
      ? 'mixtures of experts are not supported'
      : 'give the Hugging Face folder of this model',
  });
}
