// A model whose tensors are spread over several safetensors files by an index.
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { readJsonFile } from '../json-file.js';
import type { TensorInfo } from '../tensor-source.js';
import { missingTensor, SingleSafetensorsFile, type SafetensorsFile } from './safetensors-file.js';

/** Opens the shards that a `model.safetensors.index.json` names and checks that they hold just what it says. */
export class ShardedSafetensors implements SafetensorsFile {
  private constructor(
    private readonly path: string,
    private readonly shardOf: ReadonlyMap<string, SingleSafetensorsFile>,
    private readonly shards: readonly SingleSafetensorsFile[],
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: ReadonlyMap<string, string>,
  ) {}

  static async open(indexPath: string): Promise<ShardedSafetensors> {
    const { weightMap, metadata } = await readIndex(indexPath);
    const names = [...new Set(weightMap.values())];
    await checkShardsExist(indexPath, names);
    const shards = new Map<string, SingleSafetensorsFile>();
    try {
      for (const name of names) shards.set(name, await SingleSafetensorsFile.open(join(dirname(indexPath), name)));
      const tensors = matchIndex(indexPath, weightMap, shards);
      const shardOf = new Map([...weightMap].map(([tensor, shard]) => [tensor, shards.get(shard)!]));
      return new ShardedSafetensors(indexPath, shardOf, [...shards.values()], tensors, metadata);
    } catch (error) {
      await Promise.all([...shards.values()].map((shard) => shard.close()));
      throw error;
    }
  }

  async readFloat32(name: string): Promise<Float32Array> {
    return this.find(name).readFloat32(name);
  }

  async readRaw(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.find(name).readRaw(name);
  }

  async readNumbers(name: string): Promise<number[]> {
    return this.find(name).readNumbers(name);
  }

  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.close()));
  }

  private find(name: string): SingleSafetensorsFile {
    const shard = this.shardOf.get(name);
    if (shard === undefined) throw missingTensor(name, this.path, this.tensors.keys());
    return shard;
  }
}

/**
 * Names of the files that an index spreads its tensors over; plain names of the same folder.
 *
 * @throws MemGenError `safetensors-index`, `json-file`.
 */
export async function readShardNames(indexPath: string): Promise<string[]> {
  const { weightMap } = await readIndex(indexPath);
  return [...new Set(weightMap.values())];
}

async function readIndex(path: string): Promise<{ weightMap: Map<string, string>; metadata: Map<string, string> }> {
  const index = await readJsonFile(path, 'a shard index');
  const entries: unknown = index.weight_map;
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw indexError(path, { message: 'the index has no weight_map', expected: '{"weight_map": {tensor: file}}' });
  }
  const weightMap = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(entries)) {
    // A shard lies beside its index; a path would let a downloaded index reach any file.
    const isPlain = typeof shard === 'string' && shard === basename(shard) && /^[^\\/]+\.safetensors$/.test(shard);
    if (!isPlain) {
      throw indexError(path, {
        message: `the shard of tensor "${tensor}" is no file name`,
        got: JSON.stringify(shard),
        expected: 'the name of a .safetensors file in the same folder',
      });
    }
    weightMap.set(tensor, shard);
  }
  const metadata = typeof index.metadata === 'object' && index.metadata !== null ? Object.entries(index.metadata) : [];
  return { weightMap, metadata: new Map(metadata.map(([key, value]) => [key, String(value)])) };
}

async function checkShardsExist(indexPath: string, names: readonly string[]): Promise<void> {
  const present = await Promise.all(
    names.map((name) =>
      access(join(dirname(indexPath), name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  const missing = names.filter((_, i) => !present[i]);
  if (missing.length === 0) return;
  throw new MemGenError({
    code: 'safetensors-missing-shard',
    where: indexPath,
    message: `${missing.length} of ${names.length} weight files are missing`,
    got: `no ${missing.join(', ')}`,
    hint: 'download the missing files into the same folder',
  });
}

function matchIndex(
  path: string,
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, SingleSafetensorsFile>,
): Map<string, TensorInfo> {
  for (const [tensor, name] of weightMap) {
    if (shards.get(name)?.tensors.has(tensor)) continue;
    throw indexError(path, { message: `the index says that "${tensor}" is in ${name}`, got: 'it is not there' });
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of shards) {
    for (const [tensor, info] of shard.tensors) {
      const listed = weightMap.get(tensor);
      if (listed === name) tensors.set(tensor, info);
      else {
        throw indexError(path, {
          message: `${name} holds "${tensor}", which the index ${listed === undefined ? 'does not list' : `puts in ${listed}`}`,
        });
      }
    }
  }
  return tensors;
}

function indexError(path: string, details: { message: string; got?: string; expected?: string }): MemGenError {
  return new MemGenError({
    code: 'safetensors-index',
    where: path,
    hint: 'the index and the weight files are of different versions or damaged; get all of them again',
    ...details,
  });
}
