// The tensors that a decoder of some configuration is made of, and how stored ones differ from them.
import { MemGenError } from '@memgen/common';
import type { TensorInfo } from '../formats/index.js';
import { isFloatDtype } from '../formats/safetensors/dtypes.js';
import type { DecoderConfig } from '../model/decoder-config.js';
import { adaptableModules, moduleShape, type AdaptableModule } from '../model/lora.js';

/** Names and shapes as in a Hugging Face folder. */
export function expectedTensors(config: DecoderConfig): Map<string, readonly number[]> {
  const { hiddenSize, headSize, vocabularySize, layers, queryKeyNorm } = config;
  const expected = new Map<string, readonly number[]>();
  expected.set('model.embed_tokens.weight', [vocabularySize, hiddenSize]);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}.`;
    for (const module of adaptableModules) {
      const { input, output } = moduleShape(config, module);
      expected.set(`${prefix}${module}.weight`, [output, input]);
      if (hasBias(config, module)) expected.set(`${prefix}${module}.bias`, [output]);
    }
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      expected.set(`${prefix}${norm}.weight`, [hiddenSize]);
    }
    if (!queryKeyNorm) continue;
    for (const norm of ['self_attn.q_norm', 'self_attn.k_norm']) expected.set(`${prefix}${norm}.weight`, [headSize]);
  }
  expected.set('model.norm.weight', [hiddenSize]);
  if (!config.tiedEmbeddings) expected.set('lm_head.weight', [vocabularySize, hiddenSize]);
  return expected;
}

function hasBias(config: DecoderConfig, module: AdaptableModule): boolean {
  if (module.startsWith('mlp.')) return config.feedForwardBias;
  return module === 'self_attn.o_proj' ? config.outputBias : config.queryKeyValueBias;
}

/**
 * The errors that loading these tensors would give, but each kind once with all its names; and the tensors that loading
 * leaves aside.
 *
 * @param quantised - whether types other than the floats of safetensors can be read (GGUF).
 */
export function compareTensors(
  config: DecoderConfig,
  stored: readonly TensorInfo[],
  { quantised }: { quantised: boolean },
): { errors: MemGenError[]; unused: string[] } {
  const expected = expectedTensors(config);
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]));
  const missing = [...expected.keys()].filter((name) => !byName.has(name));
  const present = stored.filter(({ name }) => expected.has(name));
  const misshapen = present.filter(({ name, shape }) => shape.join() !== expected.get(name)!.join());
  const unreadable = present.filter(({ dtype }) => !quantised && !isFloatDtype(dtype));
  const errors: MemGenError[] = [];
  if (missing.length > 0) {
    errors.push(
      new MemGenError({
        code: 'model-tensor',
        message: `${counted(missing.length, 'tensor')} that the configuration asks for ${missing.length === 1 ? 'is' : 'are'} missing`,
        got: listSome(missing),
        hint: 'check that config.json and the weight files belong together',
      }),
    );
  }
  if (misshapen.length > 0) {
    errors.push(
      new MemGenError({
        code: 'model-tensor',
        message: `${counted(misshapen.length, 'tensor')} of another shape than the configuration asks for`,
        got: listSome(misshapen.map(({ name, shape }) => `${name} [${shape.join(', ')}]`)),
        expected: listSome(misshapen.map(({ name }) => `[${expected.get(name)!.join(', ')}]`)),
      }),
    );
  }
  if (unreadable.length > 0) {
    errors.push(
      new MemGenError({
        code: 'tensor-type',
        message: `${counted(unreadable.length, 'tensor')} of a type that cannot be read as weights`,
        got: listSome(unreadable.map(({ name, dtype }) => `${name} ${dtype}`)),
        expected: 'F32, BF16, F16 or F64',
        hint: 'take the unquantised weights of this model, or a GGUF file of it',
      }),
    );
  }
  return { errors, unused: stored.map(({ name }) => name).filter((name) => !expected.has(name)) };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function listSome(items: readonly string[]): string {
  return items.slice(0, 3).join(', ') + (items.length > 3 ? ` and ${items.length - 3} more` : '');
}
