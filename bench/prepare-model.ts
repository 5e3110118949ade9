// The model as all sides load it: float32 safetensors.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertModel } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';

export interface PreparedModel {
  /** What the jobs load. */
  model: string;
  /** The file that was converted. */
  gguf?: string;
  /** Removes what was written. */
  remove: () => Promise<void>;
}

/** transformers reads no GGUF file at its full speed, so one is converted aside; everybody loads the result. */
export async function prepareModel(source: string, signal: AbortSignal): Promise<PreparedModel> {
  const nothing = () => Promise.resolve();
  if (source === 'tiny') return { model: modelFolder(), remove: nothing };
  if (!source.endsWith('.gguf')) return { model: source, remove: nothing };
  const folder = await mkdtemp(join(tmpdir(), 'memgen-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { folder: model } = await convertModel(source, join(folder, 'model'), { signal });
    return { model, gguf: source, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
