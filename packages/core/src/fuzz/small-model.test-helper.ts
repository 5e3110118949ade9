// A complete model of a few kilobytes in the forms that it can be stored in, to be damaged.
import type { PeftAdapter, PeftModule } from '../formats/index.js';
import { parseAdapterConfig } from '../formats/peft/adapter-config.js';
import { expectedTensors } from '../inspection/expected-tensors.js';
import { readDecoderConfig } from '../model/decoder-config.js';
import { smallTokenizerJson } from '../text/__fixtures__/small-tokenizer.js';

/** Content of config.json; the vocabulary is that of the small tokenizer. */
export const smallConfigJson = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  vocab_size: 268,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  rms_norm_eps: 1e-6,
  hidden_act: 'silu',
  max_position_embeddings: 128,
  rope_theta: 100,
  rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
  tie_word_embeddings: true,
  torch_dtype: 'float32',
  eos_token_id: 267,
};

export const smallConfig = readDecoderConfig(smallConfigJson);

export const smallTokenizerConfigJson = {
  eos_token: '<|im_end|>',
  pad_token: '<|endoftext|>',
  added_tokens_decoder: { 267: { content: '<|im_end|>', special: true } },
  chat_template: "{% for message in messages %}{{ message['content'] }}{% endfor %}",
};

export interface SmallTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

export const smallTensors: readonly SmallTensor[] = [...expectedTensors(smallConfig)].map(([name, shape], index) => {
  const size = shape.reduce((product, count) => product * count, 1);
  return { name, shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(i + index) / 4) };
});

/** The small files of the folder: values to be written as JSON. */
export function smallFiles(): Record<string, unknown> {
  return {
    'config.json': smallConfigJson,
    'tokenizer.json': smallTokenizerJson(),
    'tokenizer_config.json': smallTokenizerConfigJson,
    'generation_config.json': { eos_token_id: [267, 265] },
  };
}

/** For the query and value projections. */
export const smallAdapter: PeftAdapter = {
  config: parseAdapterConfig(
    { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj', 'v_proj'], rank_pattern: { v_proj: 1 } },
    'adapter_config.json',
  ),
  modules: new Map([
    ['model.layers.0.self_attn.q_proj', smallModule({ rank: 2, inputSize: 8, outputSize: 8 })],
    ['model.layers.0.self_attn.v_proj', smallModule({ rank: 1, inputSize: 8, outputSize: 4 })],
  ]),
};

function smallModule(sizes: { rank: number; inputSize: number; outputSize: number }): PeftModule {
  const { rank, inputSize, outputSize } = sizes;
  return { ...sizes, a: new Float32Array(rank * inputSize).fill(0.1), b: new Float32Array(outputSize * rank) };
}
