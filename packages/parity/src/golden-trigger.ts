// A trigger made of recorded parameters, with the names that the reference gives them.
import { importAdapter, toPeftConfig, type Decoder, type LoraConfig } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import type { GoldenCase } from './golden-case.js';
import type { OfficialTensors } from './golden-tensors.js';
import { peftModules } from './golden-weaver.js';

const prefix = 'trigger.';

/** Our name of a parameter of the trigger, from its name in the reference's `named_parameters()`. */
export function triggerNameOfOfficial(official: string): string {
  return official
    .slice(prefix.length)
    .replace(/^model\.base_model\.model\.model\./, '')
    .replace(/\.trigger\.weight$/, '');
}

/** Builds the trigger whose parameters `state` holds; the case owns it. */
export async function openTrigger(
  golden: GoldenCase,
  base: Decoder,
  lora: LoraConfig,
  state: OfficialTensors,
): Promise<{ trigger: LanguageModelTrigger; officialNames: ReadonlyMap<string, string> }> {
  const officialNames = new Map(
    state.names.filter((name) => name.startsWith(prefix)).map((name) => [triggerNameOfOfficial(name), name]),
  );
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, official] of officialNames) {
    tensors.set(name, { shape: state.shape(official), data: await state.floats(official) });
  }
  const [weight, bias] = ['weight', 'bias'].map((name) => tensors.get(`output_layer.${name}`)!);
  const modules = peftModules(tensors);
  const adapter = importAdapter(base.config, { config: toPeftConfig(lora), modules }, golden.path());
  const trigger = new LanguageModelTrigger(base, adapter, {
    weight: tf.tidy(() => tf.variable(tf.transpose(tf.tensor2d(weight!.data, [2, weight!.shape[1]!])))),
    bias: tf.tidy(() => tf.variable(tf.tensor1d(bias!.data))),
  });
  return { trigger: golden.own(trigger), officialNames };
}
