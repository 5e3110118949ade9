// An open file or folder of weights as Hugging Face folders hold them, read tensor by tensor.
import { dirname, join } from 'node:path';
import { missingTensor } from './missing-tensor.js';
import { indexError, readCompleteIndex, type WeightFormat } from './shard-index.js';
import type { TensorInfo, TensorSource } from './tensor-source.js';

/** Weights of a Hugging Face folder, one file or several. */
export interface WeightFile extends TensorSource {
  /** The bytes of one tensor, little-endian, row-major. */
  readRaw(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The elements of one tensor of any type as numbers, exact; for ids, masks and other small tensors. */
  readNumbers(name: string): Promise<number[]>;
}

/** Opens the files that an index names and checks that they hold just what it says. */
export class ShardedWeights implements WeightFile {
  private constructor(
    private readonly path: string,
    private readonly shardOf: ReadonlyMap<string, WeightFile>,
    private readonly shards: readonly WeightFile[],
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: ReadonlyMap<string, string>,
  ) {}

  /** @param openShard - opens one of the files. */
  static async open(
    indexPath: string,
    format: WeightFormat,
    openShard: (path: string) => Promise<WeightFile>,
  ): Promise<ShardedWeights> {
    const { weightMap, metadata } = await readCompleteIndex(indexPath, format);
    const shards = new Map<string, WeightFile>();
    try {
      for (const name of new Set(weightMap.values())) {
        shards.set(name, await openShard(join(dirname(indexPath), name)));
      }
      const tensors = matchIndex(indexPath, format, { weightMap, shards });
      const shardOf = new Map([...weightMap].map(([tensor, shard]) => [tensor, shards.get(shard)!]));
      return new ShardedWeights(indexPath, shardOf, [...shards.values()], tensors, metadata);
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

  private find(name: string): WeightFile {
    const shard = this.shardOf.get(name);
    if (shard === undefined) throw missingTensor(name, this.path, this.tensors.keys());
    return shard;
  }
}

function matchIndex(
  path: string,
  format: WeightFormat,
  { weightMap, shards }: { weightMap: ReadonlyMap<string, string>; shards: ReadonlyMap<string, WeightFile> },
): Map<string, TensorInfo> {
  for (const [tensor, name] of weightMap) {
    if (shards.get(name)?.tensors.has(tensor)) continue;
    throw indexError(path, format, {
      message: `the index says that "${tensor}" is in ${name}`,
      got: 'it is not there',
    });
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of shards) {
    for (const [tensor, info] of shard.tensors) {
      const listed = weightMap.get(tensor);
      if (listed === name) tensors.set(tensor, info);
      else {
        const instead = listed === undefined ? 'does not list' : `puts in ${listed}`;
        throw indexError(path, format, { message: `${name} holds "${tensor}", which the index ${instead}` });
      }
    }
  }
  return tensors;
}
