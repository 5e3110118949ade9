// A trigger on disk: a PEFT folder for its adapter, with `trigger.safetensors` (the head, `[2, hidden]`) beside it.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import {
  loadAdapter,
  openOfficialTensors,
  openSafetensors,
  readTensors,
  saveAdapter,
  valuesOf,
  writeSafetensors,
  type Decoder,
  type LoraAdapter,
  type TensorSource,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { OutputLayer } from './output-layer.js';

const tensorsName = 'trigger.safetensors';

/** What there is to write of a trigger. */
export interface TriggerParts {
  adapter: LoraAdapter;
  output: OutputLayer;
}

/** Writes the trigger's three files into a folder that exists; the adapter is one that Python's PEFT opens. */
export async function writeTriggerFiles(folder: string, { adapter, output }: TriggerParts): Promise<void> {
  await saveAdapter(folder, adapter);
  const { weight, bias } = output;
  const data = await valuesOf(() => tf.transpose(weight));
  await writeSafetensors(join(folder, tensorsName), [
    { name: 'output_layer.weight', shape: [2, weight.shape[0]], data },
    { name: 'output_layer.bias', shape: [2], data: await valuesOf(() => bias) },
  ]);
}

/**
 * Reads what {@link writeTriggerFiles} wrote, strictly.
 * @throws MemGenError for files that are missing, damaged, incomplete or of another base model.
 */
export function readTriggerFiles(folder: string, base: Decoder): Promise<TriggerParts> {
  const path = join(folder, tensorsName);
  return build(base, { open: openSafetensors, path, adapterFolder: folder });
}

/**
 * Reads the trigger of a checkpoint that the official PyTorch code wrote: `trigger.bin` (no code in it runs) and the PEFT
 * folder `trigger/trigger`; `memgen export` writes `trigger.safetensors`. The published checkpoints carry an untrained trigger.
 * @throws MemGenError as {@link readTriggerFiles}.
 */
export function readOfficialTrigger(folder: string, base: Decoder): Promise<TriggerParts> {
  const open = () => openOfficialTensors(folder, 'trigger');
  return build(base, { open, path: folder, adapterFolder: join(folder, 'trigger', 'trigger') });
}

async function build(
  base: Decoder,
  files: { open: (path: string) => Promise<TensorSource>; path: string; adapterFolder: string },
): Promise<TriggerParts> {
  const { open, path, adapterFolder } = files;
  const size = base.config.hiddenSize;
  const tensors = await readTensors(await open(path));
  const expected = `output_layer.bias [2], output_layer.weight [2, ${size}]`;
  const got = [...tensors]
    .map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    .sort()
    .join(', ');
  if (got !== expected) {
    throw new MemGenError({
      code: 'trigger-tensors',
      where: path,
      message: 'the stored head is not that of a trigger of this base model',
      got,
      expected,
    });
  }
  const adapter = await loadAdapter(adapterFolder, base.config);
  const [weight, bias] = ['weight', 'bias'].map((name) => tensors.get(`output_layer.${name}`)!.data);
  return {
    adapter,
    output: {
      weight: tf.tidy(() => tf.variable(tf.transpose(tf.tensor2d(weight!, [2, size])))),
      bias: tf.tidy(() => tf.variable(tf.tensor1d(bias!))),
    },
  };
}
