// A weaver made of recorded parameters, with the names that the reference gives them.
import {
  importAdapter,
  toPeftConfig,
  type Decoder,
  type LoraConfig,
  type PeftModule,
  type Tokenizer,
  type ArrayWithShape,
} from '@memgen/core';
import { LatentWeaver, weaverFromTensors } from '@memgen/weaver';
import { z } from 'zod';
import type { GoldenCase } from './golden-case.js';
import type { OfficialTensors } from './golden-tensors.js';

/** Settings of an adapter as peft names them. */
export const loraSettings = z.object({
  r: z.number().int().positive(),
  lora_alpha: z.number(),
  target_modules: z.array(z.string()),
  use_rslora: z.boolean().default(false),
});

/** What a case says about its models. */
export const weavingModels = z.object({
  reasoner: z.string(),
  weaver_base: z.string(),
  lora: loraSettings,
});

export interface GoldenWeaver {
  reasoner: Decoder;
  tokenizer: Tokenizer;
  weaver: LatentWeaver;
  /** The reference's name of each parameter of the weaver. */
  officialNames: ReadonlyMap<string, string>;
}

/** Loads the models that a case names and the weaver whose parameters `state` holds; the case owns them. */
export async function openWeaver(
  golden: GoldenCase,
  { reasoner: reasonerName, weaver_base, lora }: z.infer<typeof weavingModels>,
  state: OfficialTensors,
): Promise<GoldenWeaver> {
  const reasoner = await golden.decoder(golden.modelFolder(reasonerName));
  const base = weaver_base === reasonerName ? reasoner : await golden.decoder(golden.modelFolder(weaver_base));
  const tokenizer = await golden.tokenizer(reasonerName);
  const { weaver, officialNames } = await makeWeaver(golden, base, adapterConfig(lora), state);
  return { reasoner, tokenizer, weaver, officialNames };
}

/** A weaver over a loaded base; the case owns it. */
export async function makeWeaver(
  golden: GoldenCase,
  base: Decoder,
  lora: LoraConfig,
  state: OfficialTensors,
): Promise<Pick<GoldenWeaver, 'weaver' | 'officialNames'>> {
  const { tensors, officialNames } = await weaverTensors(state);
  const isAdapter = (name: string) => /\.lora_[AB]$/.test(name);
  const own = new Map([...tensors].filter(([name]) => !isAdapter(name)));
  const modules = peftModules(new Map([...tensors].filter(([name]) => isAdapter(name))));
  const adapter = importAdapter(base.config, { config: toPeftConfig(lora), modules }, golden.path());
  const weights = weaverFromTensors(base, own, golden.path());
  const weaver = golden.own(new LatentWeaver(base, adapter, weights));
  return { weaver, officialNames };
}

/** The weaver's tensors under our names; those of the trigger are left out. */
export async function weaverTensors(
  state: OfficialTensors,
): Promise<{ tensors: Map<string, ArrayWithShape>; officialNames: Map<string, string> }> {
  const tensors = new Map<string, ArrayWithShape>();
  const officialNames = new Map<string, string>();
  for (const official of state.names) {
    if (official.startsWith('trigger.')) continue;
    const name = nameOfOfficial(official);
    officialNames.set(name, official);
    tensors.set(name, { shape: state.shape(official), data: await state.floats(official) });
  }
  return { tensors, officialNames };
}

/** Our name of a parameter, from its name in the reference's `named_parameters()`. */
export function nameOfOfficial(official: string): string {
  return official
    .replace(/^weaver\./, '')
    .replace(/^model\.base_model\.model\.model\./, '')
    .replace(/\.weaver\.weight$/, '');
}

/** Settings of an adapter in our names. */
export function adapterConfig({ r, lora_alpha, target_modules, use_rslora }: z.infer<typeof loraSettings>): LoraConfig {
  return { r, alpha: lora_alpha, targetModules: target_modules, rslora: use_rslora };
}

/** Factors by module path, from tensors named `layers.0.self_attn.q_proj.lora_A`. */
export function peftModules(tensors: ReadonlyMap<string, ArrayWithShape>): Map<string, PeftModule> {
  const modules = new Map<string, PeftModule>();
  for (const [name, a] of tensors) {
    if (!name.endsWith('.lora_A')) continue;
    const key = name.slice(0, -'.lora_A'.length);
    const b = tensors.get(`${key}.lora_B`)!;
    const [rank, inputSize] = a.shape as [number, number];
    modules.set(`model.${key}`, { rank, inputSize, outputSize: b.shape[0]!, a: a.data, b: b.data });
  }
  return modules;
}
