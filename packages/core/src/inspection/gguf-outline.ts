// The header of a GGUF file of any architecture and quantisation: for telling what it is, not for running it.
import { blockTypes, otherTypeNames } from '../formats/gguf/block-types.js';
import { ByteCursor } from '../formats/gguf/byte-cursor.js';
import { readMetadata } from '../formats/gguf/metadata.js';
import type { GgufMetadata, TensorInfo } from '../formats/index.js';
import { RangedFile } from '../formats/ranged-file.js';
import { elementCount } from './stored-tensors.js';

export interface GgufOutline {
  metadata: GgufMetadata;
  /** Under their own names. Of a type whose size is not known here, `byteLength` runs to the next tensor. */
  tensors: TensorInfo[];
}

interface Place {
  name: string;
  shape: number[];
  typeNumber: number;
  /** From the first tensor on. */
  offset: number;
}

const mostTensors = 2 ** 16;
const longestName = 2 ** 10;
const mostDimensions = 8;

/** @throws MemGenError `gguf-header`, `file-truncated`, or a file error. */
export async function readGgufOutline(path: string): Promise<GgufOutline> {
  const file = await RangedFile.open(path);
  try {
    const cursor = new ByteCursor(file);
    const magic = await cursor.bytes(4);
    if (String.fromCharCode(...magic) !== 'GGUF') throw cursor.error('this is no GGUF file');
    const version = await cursor.uint32();
    if (version !== 2 && version !== 3) {
      throw cursor.error('this version of GGUF cannot be read', String(version), 'version 2 or 3');
    }
    const tensorCount = await cursor.uint64('the number of tensors');
    if (tensorCount > mostTensors) throw cursor.error('the file claims too many tensors', String(tensorCount));
    const metadata = await readMetadata(cursor, await cursor.uint64('the number of keys'));
    const places: Place[] = [];
    for (let i = 0; i < tensorCount; i++) places.push(await readPlace(cursor));
    const dataStart = Math.ceil(cursor.offset / alignmentOf(metadata)) * alignmentOf(metadata);
    return { metadata, tensors: toInfos(places, Math.max(file.size - dataStart, 0)) };
  } finally {
    await file.close();
  }
}

async function readPlace(cursor: ByteCursor): Promise<Place> {
  const name = await cursor.text(longestName, 'the name of a tensor');
  const rank = await cursor.uint32();
  if (rank > mostDimensions) throw cursor.error(`the tensor "${name}" has too many dimensions`, String(rank));
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.unshift(await cursor.uint64(`a dimension of "${name}"`));
  const typeNumber = await cursor.uint32();
  return { name, shape, typeNumber, offset: await cursor.uint64(`the offset of "${name}"`) };
}

function alignmentOf(metadata: GgufMetadata): number {
  const alignment = metadata.get('general.alignment');
  return typeof alignment === 'number' && alignment > 0 && Number.isInteger(alignment) ? alignment : 32;
}

function toInfos(places: readonly Place[], dataBytes: number): TensorInfo[] {
  const offsets = [...new Set([...places.map(({ offset }) => offset), dataBytes])].sort((a, b) => a - b);
  const next = new Map(offsets.map((offset, i) => [offset, offsets[i + 1] ?? offset]));
  return places.map(({ name, shape, typeNumber, offset }) => {
    const type = blockTypes.get(typeNumber);
    const blocks = type === undefined ? 0 : Math.ceil(elementCount(shape) / type.elements);
    return {
      name,
      dtype: type?.name ?? otherTypeNames.get(typeNumber) ?? `type ${typeNumber}`,
      shape,
      byteLength: type === undefined ? next.get(offset)! - offset : blocks * type.bytes,
    };
  });
}

/** What the metadata say, under the names of config.json; as far as they say it. */
export function outlineToConfig({ metadata, tensors }: GgufOutline): Record<string, unknown> {
  const architecture = metadata.get('general.architecture');
  const value = (name: string): unknown => metadata.get(`${String(architecture)}.${name}`);
  const embedding = tensors.find(({ name }) => name === 'token_embd.weight');
  const scaling = value('rope.scaling.type');
  return {
    model_type: architecture,
    vocab_size: embedding?.shape[0],
    hidden_size: value('embedding_length'),
    intermediate_size: value('feed_forward_length'),
    num_hidden_layers: value('block_count'),
    num_attention_heads: value('attention.head_count'),
    num_key_value_heads: value('attention.head_count_kv'),
    head_dim: value('attention.key_length'),
    max_position_embeddings: value('context_length'),
    rope_theta: value('rope.freq_base'),
    rope_scaling:
      typeof scaling !== 'string' || scaling === 'none'
        ? null
        : { rope_type: scaling, factor: value('rope.scaling.factor') },
    tie_word_embeddings: embedding === undefined ? undefined : !tensors.some(({ name }) => name === 'output.weight'),
  };
}
