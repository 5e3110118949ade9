// Fields of config.json that would change what a decoder computes in ways that are not implemented: each is refused.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';

interface UnsupportedField {
  /** What the field would ask for. */
  what: string;
  /** Values that ask for nothing; an absent field and null never do. @default none */
  harmless?: z.ZodType;
  hint?: string;
}

const off = z.literal(false);
const one = z.literal(1);
const none = z.literal(0);
const elsewhere = 'take a model without it, or run this one with a library that has it';

const unsupported: Readonly<Record<string, UnsupportedField>> = {
  hidden_act: { what: 'another activation than SiLU', harmless: z.enum(['silu', 'swish']) },
  hidden_activation: { what: 'another activation than SiLU', harmless: z.enum(['silu', 'swish']) },
  // Positions
  partial_rotary_factor: { what: 'rotation of a part of the channels', harmless: one },
  rotary_pct: { what: 'rotation of a part of the channels', harmless: one },
  alibi: { what: 'positions by linear biases', harmless: off },
  use_mrope: { what: 'positions of several dimensions', harmless: off },
  // Attention
  use_sliding_window: { what: 'sliding-window attention', harmless: off },
  layer_types: { what: 'layers without full attention', harmless: z.array(z.literal('full_attention')) },
  attention_chunk_size: { what: 'attention in chunks' },
  attn_logit_softcapping: { what: 'capped attention scores' },
  query_pre_attn_scalar: { what: 'another scaling of attention scores' },
  attention_multiplier: { what: 'another scaling of attention scores' },
  use_qk_norm: { what: 'another norm of queries and keys', harmless: off },
  qk_layernorm: { what: 'another norm of queries and keys', harmless: off },
  clip_qkv: { what: 'clipped queries, keys and values' },
  is_causal: { what: 'attention to later tokens', harmless: z.literal(true) },
  use_bidirectional_attention: { what: 'attention to later tokens', harmless: off },
  add_cross_attention: { what: 'cross-attention', harmless: off },
  // Mixtures of experts
  num_experts: { what: 'a mixture of experts', harmless: none },
  num_local_experts: { what: 'a mixture of experts', harmless: none },
  n_routed_experts: { what: 'a mixture of experts', harmless: none },
  // Scales of the residual stream and of the logits
  embedding_multiplier: { what: 'scaled embeddings', harmless: one },
  residual_multiplier: { what: 'scaled residual branches', harmless: one },
  use_parallel_residual: { what: 'parallel residual branches', harmless: off },
  logits_scaling: { what: 'scaled logits', harmless: one },
  logit_scale: { what: 'scaled logits', harmless: one },
  final_logit_softcapping: { what: 'capped logits' },
  quantization_config: {
    what: 'weights in a quantised form of their own',
    hint: 'take the unquantised weights of this model, or a GGUF file of it',
  },
};

/** @throws MemGenError `model-architecture` naming the first field of which something is asked that is not supported. */
export function refuseUnsupportedFields(json: Readonly<Record<string, unknown>>, where: string): void {
  for (const [key, { what, harmless, hint = elsewhere }] of Object.entries(unsupported)) {
    const value = json[key];
    if (value === undefined || value === null || harmless?.safeParse(value).success === true) continue;
    throw new MemGenError({
      code: 'model-architecture',
      where: `${where}: ${key}`,
      message: `${what} is not supported`,
      got: JSON.stringify(value)?.slice(0, 200),
      hint,
    });
  }
}
