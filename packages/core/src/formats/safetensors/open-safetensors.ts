// Finds and opens the safetensors weights of a path: a file, an index or a model folder.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import { SingleSafetensorsFile, type SafetensorsFile } from './safetensors-file.js';
import { ShardedWeights } from '../weight-file.js';

/**
 * Opens a `.safetensors` file, a `.safetensors.index.json`, or a folder with `model.safetensors`, with
 * `model.safetensors.index.json`, or else with one weight file of any name. Only headers are read. The caller closes.
 *
 * @throws MemGenError `safetensors-header`, `safetensors-index`, `safetensors-missing-shard`, `safetensors-not-found`,
 * `file-truncated`, `file-not-found`.
 */
export async function openSafetensors(pathOrFolder: string): Promise<SafetensorsFile> {
  const path = await findWeights(pathOrFolder);
  const openFile = (file: string): Promise<SafetensorsFile> => SingleSafetensorsFile.open(file);
  return path.endsWith('.index.json') ? ShardedWeights.open(path, 'safetensors', openFile) : openFile(path);
}

async function findWeights(path: string): Promise<string> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return path;
    names = (await readdir(path)).sort();
  } catch (error) {
    throw toFileError(error, 'open the weights', path);
  }
  const candidates = names.filter((name) => /\.safetensors(\.index\.json)?$/.test(name));
  const usual = ['model.safetensors', 'model.safetensors.index.json'].find((name) => candidates.includes(name));
  const found = usual ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (found !== undefined) return join(path, found);
  throw new MemGenError({
    code: 'safetensors-not-found',
    where: path,
    message: 'this folder holds no model.safetensors',
    got: candidates.length > 0 ? candidates.join(', ') : names.slice(0, 10).join(', ') || 'an empty folder',
    expected: 'model.safetensors or model.safetensors.index.json',
    hint: names.some((name) => name.endsWith('.bin') || name.endsWith('.pth'))
      ? 'convert the PyTorch weights to safetensors first, or open them with openTorchPickle'
      : 'give the path of the weight file itself',
  });
}
