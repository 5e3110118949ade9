// A weaver on disk: a PEFT folder for its adapter, with `weaver.safetensors` (queries, norms, scales, projections) beside it.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import {
  loraScaling,
  openSafetensors,
  readPeftAdapter,
  writePeftAdapter,
  writeSafetensors,
  type Decoder,
  type PeftLoraConfig,
  type PeftModule,
} from '@memgen/core';
import { LatentWeaver } from './latent-weaver.js';
import { readWeaverTensors, weaverFromTensors, type ArrayWithShape } from './weaver-tensors.js';

const tensorsName = 'weaver.safetensors';
const modelPrefix = 'model.';

/** Writes the weaver's three files into a folder that exists; the adapter is one that Python's PEFT opens. */
export async function saveLatentWeaver(weaver: LatentWeaver, folder: string, baseModel?: string): Promise<void> {
  const { config } = weaver.adapter;
  const tensors = await readWeaverTensors(weaver.parameters());
  const modules = new Map<string, PeftModule>();
  for (const key of weaver.adapter.modules.keys()) {
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
    baseModelNameOrPath: baseModel ?? null,
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
 * Reads a weaver that {@link saveLatentWeaver} wrote, strictly.
 * @param base - the model that it adapts; frozen and shared.
 * @throws MemGenError for files that are damaged, incomplete or of another base model.
 */
export async function loadLatentWeaver(folder: string, base: Decoder): Promise<LatentWeaver> {
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
  const { adapter, weights } = weaverFromTensors(base, lora, tensors, folder);
  return new LatentWeaver(base, adapter, weights);
}
