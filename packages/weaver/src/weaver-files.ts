// A weaver on disk: a PEFT folder for its adapter, with `weaver.safetensors` (queries, norms, scales, projections) beside it.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import {
  loraScaling,
  openSafetensors,
  readPeftAdapter,
  writePeftAdapter,
  writeSafetensors,
  type LoraAdapter,
  type LoraConfig,
  type PeftLoraConfig,
  type PeftModule,
} from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import { readWeaverTensors, type ArrayWithShape } from './weaver-tensors.js';

const tensorsName = 'weaver.safetensors';
const modelPrefix = 'model.';

/** What is written of a weaver. */
export interface WritableWeaver {
  adapter: LoraAdapter;
  parameters(): ReadonlyMap<string, tf.Variable>;
}

/** Writes the weaver's three files into a folder that exists; the adapter is one that Python's PEFT opens. */
export async function writeWeaverFiles(folder: string, { adapter, ...weaver }: WritableWeaver): Promise<void> {
  const { config } = adapter;
  const tensors = await readWeaverTensors(weaver.parameters());
  const modules = new Map<string, PeftModule>();
  for (const key of adapter.modules.keys()) {
    const a = tensors.get(`${key}.lora_A`)!;
    const b = tensors.get(`${key}.lora_B`)!;
    modules.set(modelPrefix + key, {
      rank: a.shape[0]!,
      inputSize: a.shape[1]!,
      outputSize: b.shape[0]!,
      a: a.data,
      b: b.data,
    });
  }
  const peft: PeftLoraConfig = {
    r: config.r,
    loraAlpha: config.alpha,
    loraDropout: config.dropout ?? 0,
    targetModules: config.targetModules,
    excludeModules: null,
    useRslora: false,
    rankPattern: {},
    alphaPattern: {},
    layersToTransform: null,
    layersPattern: [],
    baseModelNameOrPath: null,
    revision: null,
    taskType: 'CAUSAL_LM',
  };
  await writePeftAdapter(folder, { config: peft, modules });
  const own = [...tensors].filter(([name]) => !/\.lora_[AB]$/.test(name));
  await writeSafetensors(
    join(folder, tensorsName),
    own.map(([name, tensor]) => ({ name, ...tensor })),
  );
}

/**
 * Reads what {@link writeWeaverFiles} wrote; whether it is complete is checked when a weaver is built from it.
 * @throws MemGenError for files that are missing or damaged.
 */
export async function readWeaverFiles(
  folder: string,
): Promise<{ lora: LoraConfig; tensors: Map<string, ArrayWithShape> }> {
  const { config, modules } = await readPeftAdapter(folder);
  const tensors = new Map<string, ArrayWithShape>();
  for (const [path, { rank, inputSize, outputSize, a, b }] of modules) {
    const key = path.startsWith(modelPrefix) ? path.slice(modelPrefix.length) : path;
    tensors.set(`${key}.lora_A`, { shape: [rank, inputSize], data: a });
    tensors.set(`${key}.lora_B`, { shape: [outputSize, rank], data: b });
  }
  const file = await openSafetensors(join(folder, tensorsName));
  try {
    for (const { name, shape } of file.tensors.values()) {
      tensors.set(name, { shape, data: await file.readFloat32(name) });
    }
  } finally {
    await file.close();
  }
  if (typeof config.targetModules === 'string') {
    throw new MemGenError({
      code: 'weaver-tensors',
      where: folder,
      message: 'a weaver names its target modules as a list',
      got: config.targetModules,
      expected: 'e.g. ["q_proj", "v_proj"]',
    });
  }
  const lora = {
    r: config.r,
    alpha: loraScaling(config, [...modules.keys()][0]!) * config.r,
    dropout: config.loraDropout,
    targetModules: config.targetModules,
  };
  return { lora, tensors };
}
