// A weaver on disk: a PEFT folder for its adapter, with `weaver.safetensors` (queries, norms, scales, projections) beside it.
import { join } from 'node:path';
import {
  loadAdapter,
  openSafetensors,
  saveAdapter,
  writeSafetensors,
  type Decoder,
  type LoraAdapter,
} from '@memgen/core';
import { readWeaverTensors, weaverFromTensors, type ArrayWithShape } from './weaver-tensors.js';
import { namedParameters, type WeaverParameters } from './weaver-parameters.js';

const tensorsName = 'weaver.safetensors';

/** What there is to write of a weaver. */
export interface WeaverParts {
  adapter: LoraAdapter;
  weights: WeaverParameters;
}

/** Writes the weaver's three files into a folder that exists; the adapter is one that Python's PEFT opens. */
export async function writeWeaverFiles(folder: string, { adapter, weights }: WeaverParts): Promise<void> {
  await saveAdapter(folder, adapter);
  const tensors = await readWeaverTensors(namedParameters(weights));
  await writeSafetensors(
    join(folder, tensorsName),
    [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
  );
}

/**
 * Reads what {@link writeWeaverFiles} wrote, strictly.
 * @throws MemGenError for files that are missing, damaged, incomplete or of another base model.
 */
export async function readWeaverFiles(folder: string, base: Decoder): Promise<WeaverParts> {
  const tensors = new Map<string, ArrayWithShape>();
  const file = await openSafetensors(join(folder, tensorsName));
  try {
    for (const { name, shape } of file.tensors.values()) {
      tensors.set(name, { shape, data: await file.readFloat32(name) });
    }
  } finally {
    await file.close();
  }
  const adapter = await loadAdapter(folder, base.config);
  try {
    return { adapter, weights: weaverFromTensors(base, tensors, join(folder, tensorsName)) };
  } catch (error) {
    adapter.dispose();
    throw error;
  }
}
