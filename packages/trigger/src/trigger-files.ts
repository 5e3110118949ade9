// A trigger on disk: a PEFT folder for its adapter, with `trigger.safetensors` (the head, `[2, hidden]`) beside it.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import {
  loadAdapter,
  openSafetensors,
  saveAdapter,
  writeSafetensors,
  type Decoder,
  type LoraAdapter,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { OutputLayer } from './language-model-trigger.js';

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
  const turned = tf.transpose(weight);
  const data = Float32Array.from(await turned.data<'float32'>());
  turned.dispose();
  await writeSafetensors(join(folder, tensorsName), [
    { name: 'output_layer.weight', shape: [2, weight.shape[0]], data },
    { name: 'output_layer.bias', shape: [2], data: Float32Array.from(await bias.data<'float32'>()) },
  ]);
}

/**
 * Reads what {@link writeTriggerFiles} wrote, strictly.
 * @throws MemGenError for files that are missing, damaged, incomplete or of another base model.
 */
export async function readTriggerFiles(folder: string, base: Decoder): Promise<TriggerParts> {
  const path = join(folder, tensorsName);
  const size = base.config.hiddenSize;
  const expected = new Map([
    ['output_layer.weight', [2, size]],
    ['output_layer.bias', [2]],
  ]);
  const file = await openSafetensors(path);
  try {
    const describe = (shapes: Iterable<readonly [string, readonly number[]]>) =>
      [...shapes]
        .map(([name, shape]) => `${name} [${shape.join(', ')}]`)
        .sort()
        .join(', ');
    const got = describe([...file.tensors.values()].map(({ name, shape }) => [name, shape]));
    if (got !== describe(expected)) {
      throw new MemGenError({
        code: 'trigger-tensors',
        where: path,
        message: 'the stored head is not that of a trigger of this base model',
        got,
        expected: describe(expected),
      });
    }
    const [weight, bias] = [await file.readFloat32('output_layer.weight'), await file.readFloat32('output_layer.bias')];
    const adapter = await loadAdapter(folder, base.config);
    return {
      adapter,
      output: {
        weight: tf.tidy(() => tf.variable(tf.transpose(tf.tensor2d(weight, [2, size])))),
        bias: tf.tidy(() => tf.variable(tf.tensor1d(bias))),
      },
    };
  } finally {
    await file.close();
  }
}
