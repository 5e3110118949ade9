// Opens the weights of a model folder, whatever they are stored in.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import { openSafetensors } from './safetensors/index.js';
import type { WeightFormat } from './shard-index.js';
import { openTorchPickle } from './torch-pickle/index.js';
import { ShardedWeights, type WeightFile } from './weight-file.js';

/** The weights of a folder and how they are stored. */
export interface OpenedWeights {
  /** Only headers have been read; the caller closes. */
  weights: WeightFile;
  format: WeightFormat;
}

const pickleName = 'pytorch_model.bin';
const pickleIndexName = 'pytorch_model.bin.index.json';
const looked = ['model.safetensors', 'model.safetensors.index.json', pickleName, pickleIndexName];

/**
 * Opens `model.safetensors`, `model.safetensors.index.json` or the only safetensors file of any name; where there are
 * none, `pytorch_model.bin` or `pytorch_model.bin.index.json`. PyTorch files are read as data: nothing in them is run.
 *
 * @throws MemGenError `weights-not-found` naming all that was looked for; those of {@link openSafetensors} and
 * {@link openTorchPickle}; `torch-pickle-index`, `torch-pickle-missing-shard`.
 */
export async function openWeights(folder: string): Promise<OpenedWeights> {
  const names = await namesIn(folder);
  const safetensors = names.filter((name) => /\.safetensors(\.index\.json)?$/.test(name));
  const isClear = safetensors.length === 1 || safetensors.some((name) => looked.includes(name));
  if (isClear) return { weights: await openSafetensors(folder), format: 'safetensors' };
  const format = 'torch-pickle';
  if (names.includes(pickleName)) return { weights: await openTorchPickle(join(folder, pickleName)), format };
  if (names.includes(pickleIndexName)) {
    return { weights: await ShardedWeights.open(join(folder, pickleIndexName), format, openTorchPickle), format };
  }
  throw new MemGenError({
    code: 'weights-not-found',
    where: folder,
    message: 'this folder holds no weights',
    got: [...safetensors, ...names].slice(0, 10).join(', ') || 'an empty folder',
    expected: looked.join(', '),
    hint:
      safetensors.length > 1
        ? 'rename the weight file that is meant to model.safetensors'
        : 'download the weights of the model into this folder',
  });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw toFileError(error, 'open the weights', folder);
  }
}
