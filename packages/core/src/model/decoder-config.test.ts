// Reading config.json: what each architecture switches on, and every refusal.
import { MemGenError } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { readDecoderConfig } from './decoder-config.js';
import { tinyConfig, tinyConfigJson } from './tiny-decoder.test-helper.js';

function refusal(json: unknown): MemGenError {
  try {
    readDecoderConfig(json, 'some/config.json');
  } catch (error) {
    if (error instanceof MemGenError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('readDecoderConfig', () => {
  it('reads the sizes', () => {
    const config = tinyConfig();
    expect(config).toMatchObject({
      modelType: 'qwen2',
      vocabularySize: 32,
      hiddenSize: 16,
      intermediateSize: 24,
      layers: 2,
      heads: 4,
      keyValueHeads: 2,
      headSize: 4,
      maxPositions: 128,
      rmsNormEpsilon: 1e-6,
      layerUsesRotary: [true, true],
    });
    expect(config.rotary.inverseFrequencies).toHaveLength(2);
  });

  it('knows what each architecture has', () => {
    const biases = (changes: Record<string, unknown>) => {
      const config = tinyConfig(changes);
      return [config.queryKeyValueBias, config.outputBias, config.feedForwardBias, config.queryKeyNorm];
    };
    expect(biases({ model_type: 'llama' })).toEqual([false, false, false, false]);
    expect(biases({ model_type: 'llama', attention_bias: true, mlp_bias: true })).toEqual([true, true, true, false]);
    expect(biases({ model_type: 'qwen2' })).toEqual([true, false, false, false]);
    expect(biases({ model_type: 'qwen3' })).toEqual([false, false, false, true]);
  });

  it('reads Mistral: no biases, whatever is said of them, and a window as long as all positions', () => {
    const mistral = { model_type: 'mistral', attention_bias: true, architectures: ['MistralForCausalLM'] };
    for (const window of [{ sliding_window: null }, { sliding_window: 128 }, {}]) {
      expect(tinyConfig({ ...mistral, ...window })).toMatchObject({
        modelType: 'mistral',
        queryKeyValueBias: false,
        outputBias: false,
        feedForwardBias: false,
        queryKeyNorm: false,
        tiedEmbeddings: false,
        headSize: 4,
      });
    }
    expect(tinyConfig({ ...mistral, head_dim: 6 }).headSize).toBe(6);
  });

  it('takes the defaults of each architecture for absent fields', () => {
    const json = tinyConfigJson({ model_type: 'smollm3' });
    delete json.rope_theta;
    delete json.max_position_embeddings;
    const config = readDecoderConfig(json);
    expect(config.maxPositions).toBe(32768);
    expect(config.rotary.inverseFrequencies[1]).toBeCloseTo(2e6 ** -0.5, 12);
  });

  it('ties embeddings as transformers does where the field is absent', () => {
    expect(tinyConfig({ model_type: 'llama' }).tiedEmbeddings).toBe(false);
    expect(tinyConfig({ model_type: 'smollm3' }).tiedEmbeddings).toBe(true);
    expect(tinyConfig({ model_type: 'smollm3', tie_word_embeddings: false }).tiedEmbeddings).toBe(false);
    expect(tinyConfig({ model_type: 'llama', tie_word_embeddings: true }).tiedEmbeddings).toBe(true);
  });

  it('takes an explicit head size, and as many key-value heads as heads by default', () => {
    const config = tinyConfig({ head_dim: 10, num_key_value_heads: null });
    expect([config.headSize, config.keyValueHeads]).toEqual([10, 4]);
  });

  it('leaves out rotation where SmolLM3 does: by list, by interval, every fourth layer', () => {
    const smollm3 = (changes: Record<string, unknown>) =>
      tinyConfig({ model_type: 'smollm3', num_hidden_layers: 5, ...changes }).layerUsesRotary;
    expect(smollm3({ no_rope_layers: [0, 1, 1, 0, 1] })).toEqual([false, true, true, false, true]);
    expect(smollm3({ no_rope_layer_interval: 2 })).toEqual([true, false, true, false, true]);
    expect(smollm3({})).toEqual([true, true, true, false, true]);
    expect(tinyConfig({ model_type: 'llama', no_rope_layers: [0, 0] }).layerUsesRotary).toEqual([true, true]);
  });
});

describe('readDecoderConfig refuses', () => {
  it('an unknown architecture, naming those it knows', () => {
    const error = refusal(tinyConfigJson({ model_type: 'mamba' }));
    expect(error).toMatchObject({ code: 'model-architecture', got: '"mamba"' });
    expect(error.where).toBe('some/config.json: model_type');
    expect(error.expected).toContain('qwen3');
  });

  it.each([
    [{ model_type: 'gemma2', architectures: ['Gemma2ForCausalLM'] }, 'model_type'],
    [{ architectures: ['Qwen2ForSequenceClassification'] }, 'architectures'],
    [{ architectures: ['LlamaForCausalLM'] }, 'architectures'],
    [{ hidden_act: 'gelu' }, 'hidden_act'],
    [{ hidden_activation: 'gelu_pytorch_tanh' }, 'hidden_activation'],
    [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
    [{ rotary_pct: 0.25 }, 'rotary_pct'],
    [{ alibi: true }, 'alibi'],
    [{ use_mrope: true }, 'use_mrope'],
    [{ use_sliding_window: true }, 'use_sliding_window'],
    [{ layer_types: ['full_attention', 'sliding_attention'] }, 'layer_types'],
    [{ attention_chunk_size: 8192 }, 'attention_chunk_size'],
    [{ attn_logit_softcapping: 50 }, 'attn_logit_softcapping'],
    [{ query_pre_attn_scalar: 256 }, 'query_pre_attn_scalar'],
    [{ attention_multiplier: 0.0078125 }, 'attention_multiplier'],
    [{ use_qk_norm: true }, 'use_qk_norm'],
    [{ qk_layernorm: true }, 'qk_layernorm'],
    [{ clip_qkv: 8 }, 'clip_qkv'],
    [{ is_causal: false }, 'is_causal'],
    [{ use_bidirectional_attention: true }, 'use_bidirectional_attention'],
    [{ add_cross_attention: true }, 'add_cross_attention'],
    [{ num_experts: 64 }, 'num_experts'],
    [{ num_local_experts: 8 }, 'num_local_experts'],
    [{ n_routed_experts: 16 }, 'n_routed_experts'],
    [{ embedding_multiplier: 12 }, 'embedding_multiplier'],
    [{ residual_multiplier: 0.22 }, 'residual_multiplier'],
    [{ use_parallel_residual: true }, 'use_parallel_residual'],
    [{ logits_scaling: 8 }, 'logits_scaling'],
    [{ logit_scale: 0.0625 }, 'logit_scale'],
    [{ final_logit_softcapping: 30 }, 'final_logit_softcapping'],
    [{ quantization_config: { quant_method: 'gptq' } }, 'quantization_config'],
    [{ rope_scaling: { rope_type: 'longrope', factor: 2 } }, 'rope_scaling.rope_type'],
    [{ model_type: 'mistral', sliding_window: 4096, max_position_embeddings: 32768 }, 'sliding_window'],
    [{ model_type: 'mistral', max_position_embeddings: 4097 }, 'sliding_window'],
  ])('%j', (changes, key) => {
    const error = refusal(tinyConfigJson(changes));
    expect(error.code).toBe('model-architecture');
    expect(error.where).toBe(`some/config.json: ${key}`);
    expect(error.got).toBeDefined();
  });

  it('nothing where such fields ask for nothing', () => {
    const plain = tinyConfig();
    const silent = {
      architectures: ['Qwen2ForCausalLM'],
      hidden_act: 'silu',
      partial_rotary_factor: 1,
      use_sliding_window: false,
      sliding_window: 131072,
      max_window_layers: 28,
      layer_types: ['full_attention', 'full_attention'],
      attn_logit_softcapping: null,
      num_experts: 0,
      logits_scaling: 1,
      quantization_config: null,
      rope_parameters: { rope_type: 'default', rope_theta: 100 },
    };
    expect(tinyConfig(silent)).toEqual(plain);
  });

  it.each([
    ['heads that are no multiple of the key-value heads', { num_key_value_heads: 3 }, 'num_key_value_heads'],
    ['a hidden size that heads do not divide', { hidden_size: 18 }, 'hidden_size'],
    ['a list of layers of the wrong length', { model_type: 'smollm3', no_rope_layers: [1] }, 'no_rope_layers'],
    ['a rotary scaling without its factor', { rope_scaling: { type: 'linear' } }, 'rope_scaling'],
    ['heads of odd size', { head_dim: 5 }, 'head_dim'],
  ])('%s', (_, changes, key) => {
    const error = refusal(tinyConfigJson(changes));
    expect(error.code).toBe('model-config');
    expect(error.where).toBe(`some/config.json: ${key}`);
  });

  it.each([
    ['vocab_size', 0],
    ['vocab_size', 1e15],
    ['hidden_size', 2.5],
    ['hidden_size', '16'],
    ['num_hidden_layers', 1e9],
    ['head_dim', 2 ** 30],
    ['num_attention_heads', -4],
    ['rms_norm_eps', 0],
    ['rope_theta', null],
  ])('%s %s, naming the field', (key, value) => {
    const error = refusal(tinyConfigJson({ [key]: value }));
    expect(error.code).toBe('model-config');
    expect(error.message).toContain(key);
  });

  it.each([null, [], 'text', {}, { model_type: 7 }])('%j, which is no configuration at all', (json) => {
    expect(refusal(json).code).toBe('model-config');
  });
});
