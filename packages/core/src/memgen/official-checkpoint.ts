// Checkpoint folders in the layout of the official PyTorch code: its config.json and tensor files.
import { MemGenError } from '@memgen/common';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  openSafetensors,
  openTorchPickle,
  readJsonFile,
  readPeftAdapter,
  type TensorSource,
} from '../formats/index.js';
import { architectures } from '../model/architectures.js';
import { readDecoderConfig, type DecoderConfig } from '../model/decoder-config.js';
import type { Reasoner } from '../reasoner/reasoner.js';
import type { PartName } from './manifest.js';

/** Tensor files of that layout: `<name>.bin` (PyTorch pickles) as the official code writes them. */
export type OfficialTensors = 'projs' | 'weaver' | 'trigger';

/**
 * Opens one of the tensor files. `memgen export` writes `<name>.safetensors` in place of `<name>.bin`, with the same
 * tensors under their paths joined by dots; of a pickle no code is run.
 * @throws MemGenError of {@link openSafetensors} and {@link openTorchPickle}.
 */
export async function openOfficialTensors(folder: string, name: OfficialTensors): Promise<TensorSource> {
  const path = join(folder, `${name}.safetensors`);
  return (await isFile(path)) ? openSafetensors(path) : openTorchPickle(join(folder, `${name}.bin`));
}

const configSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  max_inference_aug_num: z.int().nonnegative().default(5),
  trigger_active: z.boolean().default(false),
});

/** What a folder in the official layout says of itself. */
export interface OfficialCheckpoint {
  parts: readonly PartName[];
  maxInferencePoints: number;
  /** Whether the trigger is to be asked; the published checkpoints carry an untrained one. */
  triggerActive: boolean;
  /** Name of the base model under the weaver's adapter, where the folder has it. */
  baseName: string | undefined;
  /** Configuration of the reasoner. */
  reasoner: DecoderConfig;
}

/** @throws MemGenError `checkpoint` for a config.json that is not of such a folder; of reading it. */
export async function openOfficialCheckpoint(folder: string): Promise<OfficialCheckpoint> {
  const path = join(folder, 'config.json');
  const json = await readJsonFile(path, 'the configuration of an official checkpoint');
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    throw new MemGenError({
      code: 'checkpoint',
      where: path,
      message: z.prettifyError(parsed.error),
      expected: 'the config.json of a checkpoint of the official MemGen code',
    });
  }
  const parts: PartName[] = [];
  for (const name of ['weaver', 'trigger'] as const) {
    if ((await isFile(join(folder, `${name}.bin`))) || (await isFile(join(folder, `${name}.safetensors`)))) {
      parts.push(name);
    }
  }
  return {
    parts,
    maxInferencePoints: parsed.data.max_inference_aug_num,
    triggerActive: parsed.data.trigger_active,
    baseName: await baseNameOf(folder, parts),
    reasoner: readDecoderConfig({ ...json, model_type: modelTypeOf(parsed.data.architectures) }, path),
  };
}

/**
 * Checks that a loaded model has the shape that the configuration of a checkpoint describes; official checkpoints hold no
 * hash of their base.
 * @throws MemGenError `checkpoint-base` with the names of both.
 */
export function requireSameShape(official: OfficialCheckpoint, { decoder, origin }: Reasoner, where: string): void {
  const [expected, got] = [describe(official.reasoner), describe(decoder.config)];
  if (expected === got) return;
  throw new MemGenError({
    code: 'checkpoint-base',
    where: join(where, 'config.json'),
    message: 'the checkpoint was trained for another reasoner',
    got: `${origin.source} (${got})`,
    expected: `${official.baseName ?? 'a model'} (${expected})`,
    hint: 'load the reasoner that the checkpoint was trained for',
  });
}

function describe(config: DecoderConfig): string {
  const { modelType, vocabularySize, hiddenSize, intermediateSize, layers, heads, keyValueHeads, headSize } = config;
  return [
    modelType,
    `vocabulary ${vocabularySize}`,
    `hidden ${hiddenSize}`,
    `intermediate ${intermediateSize}`,
    `${layers} layers`,
    `${heads} heads`,
    `${keyValueHeads} key-value heads of ${headSize}`,
  ].join(', ');
}

/** `model_type` is "memgen" there; the class of the base tells what it is. */
function modelTypeOf(classes: readonly string[]): string | undefined {
  const found = Object.entries(architectures).find(([, { className }]) => classes.includes(className));
  return found?.[0] ?? classes[0];
}

async function baseNameOf(folder: string, parts: readonly PartName[]): Promise<string | undefined> {
  const [part] = parts;
  if (part === undefined) return undefined;
  const { config } = await readPeftAdapter(join(folder, part, part));
  return config.baseModelNameOrPath ?? undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
