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
    ['sliding windows', { use_sliding_window: true }, 'use_sliding_window'],
    ['another activation', { hidden_act: 'gelu' }, 'hidden_act'],
    ['an unknown rotary scaling', { rope_scaling: { rope_type: 'longrope', factor: 2 } }, 'rope_scaling.rope_type'],
  ])('%s', (_, changes, key) => {
    const error = refusal(tinyConfigJson(changes));
    expect(error.code).toBe('model-architecture');
    expect(error.where).toBe(`some/config.json: ${key}`);
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
