// The header of a GGUF file of any architecture and quantisation: for telling what it is, not for running it.
import { blockTypes, otherTypeNames } from '../formats/gguf/block-types.js';
import { readGgufHeader, type GgufPlace } from '../formats/gguf/header.js';
import type { GgufMetadata, TensorInfo } from '../formats/index.js';
import { RangedFile } from '../formats/ranged-file.js';
import { elementCount } from './stored-tensors.js';

export interface GgufOutline {
  metadata: GgufMetadata;
  /** Under their own names. Of a type whose size is not known here, `byteLength` runs to the next tensor. */
  tensors: TensorInfo[];
}

/** @throws MemGenError `gguf-header`, `file-truncated`, or a file error. */
export async function readGgufOutline(path: string): Promise<GgufOutline> {
  const file = await RangedFile.open(path);
  try {
    const { metadata, places, dataStart } = await readGgufHeader(file);
    return { metadata, tensors: toInfos(places, Math.max(file.size - dataStart, 0)) };
  } finally {
    await file.close();
  }
}

function toInfos(places: readonly GgufPlace[], dataBytes: number): TensorInfo[] {
  const offsets = [...new Set([...places.map(({ relativeOffset }) => relativeOffset), dataBytes])].sort(
    (a, b) => a - b,
  );
  const next = new Map(offsets.map((offset, i) => [offset, offsets[i + 1] ?? offset]));
  return places.map(({ name, shape, typeNumber, relativeOffset }) => {
    const type = blockTypes.get(typeNumber);
    const blocks = type === undefined ? 0 : Math.ceil(elementCount(shape) / type.elements);
    return {
      name,
      dtype: type?.name ?? otherTypeNames.get(typeNumber) ?? `type ${typeNumber}`,
      shape,
      byteLength: type === undefined ? next.get(relativeOffset)! - relativeOffset : blocks * type.bytes,
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
