// A model to be converted: its tensors, and the small files that belong beside them.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, toFileError, type FileContent } from '@memgen/common';
import {
  ggufToConfig,
  ggufToTokenizer,
  openGguf,
  openWeights,
  readJsonFile,
  type TensorSource,
} from '../formats/index.js';
import type { ResolvedModel } from '../hub/index.js';

/** Whoever opens it closes its {@link ModelSource.weights}. */
export interface ModelSource {
  /** Tensors of Hugging Face names; those of folders can also be read as they are stored. */
  weights: TensorSource & { readRaw?: (name: string) => Promise<Uint8Array> };
  /** Content of config.json. */
  config: Record<string, unknown>;
  /** The other small files by name. */
  files: ReadonlyMap<string, () => FileContent>;
}

/** @throws MemGenError of finding and reading the files. */
export function openModelSource({ kind, path }: Pick<ResolvedModel, 'kind' | 'path'>): Promise<ModelSource> {
  return kind === 'gguf' ? openGgufSource(path) : openFolderSource(path);
}

async function openFolderSource(folder: string): Promise<ModelSource> {
  const path = join(folder, 'config.json');
  const config = await readJsonFile(path, 'the configuration of the model');
  if (config.quantization_config != null) {
    throw new MemGenError({
      code: 'convert-quantized',
      where: `${path}: quantization_config`,
      message: 'the weights of this folder are quantised in a way that is not read',
      hint: 'take the unquantised weights of this model, or a GGUF file of it',
    });
  }
  const names = (await namesIn(folder)).filter(isCompanion);
  const files = new Map(names.map((name) => [name, () => createReadStream(join(folder, name)) as FileContent]));
  return { weights: (await openWeights(folder)).weights, config, files };
}

/** Descriptions, tokenizer, templates, licences; not weights, nor what describes how they are spread over files. */
function isCompanion(name: string): boolean {
  if (name === 'config.json' || name.startsWith('.') || name.endsWith('.index.json')) return false;
  return /\.(json|json\.gz|jinja|txt|md|model)$|^(LICENSE|NOTICE)/.test(name);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
    return names.filter((_, i) => found[i]?.isFile() === true).sort();
  } catch (error) {
    throw toFileError(error, 'read the folder', folder);
  }
}

async function openGgufSource(path: string): Promise<ModelSource> {
  const weights = await openGguf(path);
  try {
    const config = ggufToConfig(weights);
    const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(weights);
    const files = new Map([
      ['tokenizer.json', () => formatJson(tokenizerJson)],
      ['tokenizer_config.json', () => formatJson(tokenizerConfig)],
    ]);
    const ids = ['bos_token_id', 'eos_token_id', 'pad_token_id'].filter((name) => config[name] != null);
    if (ids.length > 0) {
      const generation = Object.fromEntries(ids.map((name) => [name, config[name]]));
      files.set('generation_config.json', () => formatJson(generation));
    }
    return { weights, config, files };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

export function formatJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
