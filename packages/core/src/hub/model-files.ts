// Which files make a model: what to download of a repository, and what a folder lacks.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { readShardNames } from '../formats/shard-index.js';

/** The better first: PyTorch's files are read as well, but only where there is nothing else. */
const weights = ['model.safetensors', 'pytorch_model.bin'] as const;
const weightFiles = weights.flatMap((name) => [name, `${name}.index.json`]);
const described = /^(?:config|generation_config|special_tokens_map|tokenizer\w*|added_tokens|chat_template)\.json$/;

/**
 * The files to download of those in one folder of a repository, small ones first; the shards of an index come later,
 * when it can be read.
 *
 * @throws MemGenError `hub-no-model` where there is no configuration or no weights.
 */
export function chooseModelFiles(names: readonly string[], where: string): string[] {
  const small = names.filter((name) => described.test(name) || name === 'chat_template.jinja');
  const chosen = weightFiles.find((name) => names.includes(name));
  if (small.includes('config.json') && chosen !== undefined) return [...small, chosen];
  const gguf = names.filter((name) => name.endsWith('.gguf'));
  throw new MemGenError({
    code: 'hub-no-model',
    where,
    message: 'this repository holds no model that can be read',
    got: names.slice(0, 10).join(', ') || 'no files',
    expected: `config.json and one of ${weightFiles.join(', ')}`,
    hint:
      gguf.length > 0
        ? `for a GGUF file give its name as well, for example ${where}/${gguf[0] ?? ''}`
        : 'choose a repository with weights; a model in a sub-folder is named organisation/name/folder',
  });
}

/** Names of files that a model folder lacks; empty if it is complete. */
export async function findMissingFiles(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (const name of ['config.json', 'tokenizer.json']) if (!(await isFile(join(folder, name)))) missing.push(name);
  for (const name of weights) {
    if (await isFile(join(folder, name))) return missing;
    const index = join(folder, `${name}.index.json`);
    if (!(await isFile(index))) continue;
    for (const shard of await readShardNames(index)) if (!(await isFile(join(folder, shard)))) missing.push(shard);
    return missing;
  }
  return [...missing, weights[0]];
}

export function isShardIndex(name: string): boolean {
  return name.endsWith('.index.json');
}

/** True for files and for links that lead to one. */
export async function isFile(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ?? false;
}
