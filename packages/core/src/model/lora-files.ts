// Adapters from and to PEFT's folders, strictly.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { readPeftAdapter, writePeftAdapter, type PeftAdapter, type PeftModule } from '../formats/peft/index.js';
import type { DecoderConfig } from './decoder-config.js';
import { valuesOf } from '../training/values-of.js';
import { fromPeftConfig, LoraAdapter, modulePath, toPeftConfig, type LoraModule } from './lora.js';

/** The base model that an adapter folder names. */
export interface AdapterBase {
  id: string;
  revision?: string | undefined;
}

/** The adapter as PEFT has it: values `[rank, in]` and `[out, rank]` by module path. */
export async function exportAdapter({ config, modules }: LoraAdapter, base?: AdapterBase): Promise<PeftAdapter> {
  const exported = new Map<string, PeftModule>();
  for (const [key, { a, b }] of modules) {
    const [inputSize, rank] = a.shape;
    exported.set(modulePath(key), {
      rank,
      inputSize,
      outputSize: b.shape[1],
      a: await valuesOf(() => tf.transpose(a)),
      b: await valuesOf(() => tf.transpose(b)),
    });
  }
  const peft = toPeftConfig(config);
  return {
    config: { ...peft, baseModelNameOrPath: base?.id ?? null, revision: base?.revision ?? null },
    modules: exported,
  };
}

/**
 * Builds an adapter for a decoder; it must cover exactly the modules that its settings mean.
 * @param where - named in errors, e.g. the folder.
 * @throws MemGenError `adapter-modules` that lists missing and unexpected modules, `adapter-shape`, `lora-target`.
 */
export function importAdapter(
  decoder: DecoderConfig,
  { config: peft, modules }: PeftAdapter,
  where: string,
): LoraAdapter {
  const config = fromPeftConfig(peft);
  const targets = LoraAdapter.targets(decoder, config);
  const expected = new Map([...targets].map(([key, target]) => [modulePath(key), target]));
  const missing = [...expected.keys()].filter((path) => !modules.has(path));
  const unexpected = [...modules.keys()].filter((path) => !expected.has(path));
  if (missing.length > 0 || unexpected.length > 0) {
    throw new MemGenError({
      code: 'adapter-modules',
      where,
      message: 'the adapter does not cover exactly the modules that its settings mean in this base model',
      got: `missing: ${missing.join(', ') || 'none'}; unexpected: ${unexpected.join(', ') || 'none'}`,
      hint: 'check that the adapter belongs to this base model',
    });
  }
  for (const [path, { input, output, rank }] of expected) {
    const { inputSize, outputSize, rank: got } = modules.get(path)!;
    if (inputSize === input && outputSize === output && got === rank) continue;
    throw new MemGenError({
      code: 'adapter-shape',
      where: `${where}: ${path}`,
      message: 'the adapter of a module does not have the sizes of the module',
      got: `in ${inputSize}, out ${outputSize}, rank ${got}`,
      expected: `in ${input}, out ${output}, rank ${rank}`,
      hint: 'check that the adapter belongs to this base model',
    });
  }
  const views = new Map<string, LoraModule>();
  for (const [key, { scaling }] of targets) {
    const { a, b, rank, inputSize, outputSize } = modules.get(modulePath(key))!;
    const variable = (values: Float32Array, shape: [number, number]) =>
      tf.tidy(() => tf.variable(tf.transpose(tf.tensor2d(values, shape))));
    views.set(key, { a: variable(a, [rank, inputSize]), b: variable(b, [outputSize, rank]), scaling });
  }
  return new LoraAdapter(config, views);
}

/** Writes an adapter folder that Python's PEFT opens; other files in the folder stay. */
export async function saveAdapter(folder: string, adapter: LoraAdapter, base?: AdapterBase): Promise<void> {
  await writePeftAdapter(folder, await exportAdapter(adapter, base));
}

/** Reads an adapter folder. @throws MemGenError of {@link readPeftAdapter} and {@link importAdapter}. */
export async function loadAdapter(folder: string, decoder: DecoderConfig): Promise<LoraAdapter> {
  return importAdapter(decoder, await readPeftAdapter(folder), folder);
}
