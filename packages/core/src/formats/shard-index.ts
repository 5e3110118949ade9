// The index of a model whose tensors are spread over several files: `model.safetensors.index.json` and its like.
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { describeJson } from './describe-json.js';
import { readJsonFile } from './json-file.js';

/** The two kinds of files that models come in; also the beginning of error codes. */
export type WeightFormat = 'safetensors' | 'torch-pickle';

export interface ShardIndex {
  /** File name by tensor; plain names of the index's folder. */
  weightMap: ReadonlyMap<string, string>;
  /** As text. */
  metadata: ReadonlyMap<string, string>;
}

const endings = { safetensors: '.safetensors', 'torch-pickle': '.bin' } as const satisfies Record<WeightFormat, string>;

/** Models of hundreds of billions of parameters come in about 200 files; each is one open file. */
const mostShards = 1024;

/**
 * Reads an index and checks that all its files are there.
 *
 * @throws MemGenError `safetensors-index`, `safetensors-missing-shard` (or `torch-pickle-...`), `json-file`.
 */
export async function readCompleteIndex(path: string, format: WeightFormat): Promise<ShardIndex> {
  const index = await readShardIndex(path, format);
  const names = [...new Set(index.weightMap.values())];
  const present = await Promise.all(names.map((name) => isThere(join(dirname(path), name))));
  const missing = names.filter((_, i) => !present[i]);
  if (missing.length === 0) return index;
  throw new MemGenError({
    code: `${format}-missing-shard`,
    where: path,
    message: `${missing.length} of ${names.length} weight files are missing`,
    got: `no ${missing.slice(0, 10).join(', ')}`,
    hint: 'download the missing files into the same folder',
  });
}

/**
 * Names of the files that an index spreads its tensors over; plain names of the same folder.
 *
 * @throws MemGenError `safetensors-index` or `torch-pickle-index`, `json-file`.
 */
export async function readShardNames(indexPath: string): Promise<string[]> {
  const format = indexPath.endsWith('.bin.index.json') ? 'torch-pickle' : 'safetensors';
  const { weightMap } = await readShardIndex(indexPath, format);
  return [...new Set(weightMap.values())];
}

async function readShardIndex(path: string, format: WeightFormat): Promise<ShardIndex> {
  const index = await readJsonFile(path, 'a shard index');
  const entries: unknown = index.weight_map;
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw indexError(path, format, {
      message: 'the index has no weight_map',
      expected: '{"weight_map": {tensor: file}}',
    });
  }
  const weightMap = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(entries)) {
    weightMap.set(tensor, checkShardName(tensor, shard, { path, format }));
  }
  const shards = new Set(weightMap.values()).size;
  if (shards > mostShards) {
    throw indexError(path, format, {
      message: 'the index names too many files',
      got: String(shards),
      expected: `at most ${mostShards}`,
    });
  }
  const metadata = typeof index.metadata === 'object' && index.metadata !== null ? Object.entries(index.metadata) : [];
  return { weightMap, metadata: new Map(metadata.map(([key, value]) => [key, asText(value)])) };
}

/** A shard lies beside its index; a path would let a downloaded index reach any file. */
function checkShardName(tensor: string, shard: unknown, { path, format }: { path: string; format: WeightFormat }) {
  const ending = endings[format];
  const isPlain =
    typeof shard === 'string' &&
    shard === basename(shard) &&
    !/[\\/\0]/.test(shard) &&
    shard.endsWith(ending) &&
    shard.length > ending.length;
  if (isPlain) return shard;
  throw indexError(path, format, {
    message: `the shard of tensor ${describeJson(tensor)} is no file name`,
    got: describeJson(shard),
    expected: `the name of a ${ending} file in the same folder`,
  });
}

/** @returns what is wrong with an index as an error. */
export function indexError(
  path: string,
  format: WeightFormat,
  details: { message: string; got?: string; expected?: string },
): MemGenError {
  return new MemGenError({
    code: `${format}-index`,
    where: path,
    hint: 'the index and the weight files are of different versions or damaged; get all of them again',
    ...details,
  });
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
