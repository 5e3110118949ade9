// A weaver on disk: a PEFT folder for its adapter, with `weaver.safetensors` (queries, norms, scales, projections) beside it.
import { join } from 'node:path';
import {
  loadAdapter,
  openOfficialTensors,
  openSafetensors,
  readTensors,
  saveAdapter,
  writeSafetensors,
  type ArrayWithShape,
  type Decoder,
  type LoraAdapter,
} from '@memgen/core';
import { readWeaverTensors, weaverFromTensors } from './weaver-tensors.js';
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
  const path = join(folder, tensorsName);
  const tensors = await readTensors(await openSafetensors(path));
  return build(base, { tensors, where: path, adapterFolder: folder });
}

/**
 * Reads the weaver of a checkpoint that the official PyTorch code wrote: `weaver.bin`, `projs.bin` (no code in them runs)
 * and the PEFT folder `weaver/weaver`; `memgen export` writes `.safetensors` in place of `.bin`.
 * @throws MemGenError as {@link readWeaverFiles}.
 */
export async function readOfficialWeaver(folder: string, base: Decoder): Promise<WeaverParts> {
  const own = await readTensors(await openOfficialTensors(folder, 'weaver'));
  const projections = await readTensors(await openOfficialTensors(folder, 'projs'));
  const adapterFolder = join(folder, 'weaver', 'weaver');
  return build(base, { tensors: new Map([...own, ...projections]), where: folder, adapterFolder });
}

async function build(
  base: Decoder,
  { tensors, where, adapterFolder }: { tensors: Map<string, ArrayWithShape>; where: string; adapterFolder: string },
): Promise<WeaverParts> {
  const adapter = await loadAdapter(adapterFolder, base.config);
  try {
    return { adapter, weights: weaverFromTensors(base, tensors, where) };
  } catch (error) {
    adapter.dispose();
    throw error;
  }
}
