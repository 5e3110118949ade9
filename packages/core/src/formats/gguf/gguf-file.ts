// An open GGUF file, seen as if it were the weights of a Hugging Face folder.
import { MemGenError } from '@memgen/common';
import { RangedFile } from '../ranged-file.js';
import { missingTensor } from '../missing-tensor.js';
import type { TensorInfo, TensorSource } from '../tensor-source.js';
import { readDirectory, type GgufEntry } from './directory.js';
import type { GgufMetadata } from './metadata.js';
import { checkArchitecture, toHuggingFaceName, type GgufArchitecture } from './tensor-names.js';
import { undoRotaryPermutation } from './rotary-permutation.js';

/** Decoded a piece at a time, so that no second buffer of the tensor's size is needed. */
const pieceElements = 2 ** 20;

interface HuggingFaceEntry extends TensorInfo {
  readonly entry: GgufEntry;
}

/** Tensors have their Hugging Face names, shapes and row order; `dtype` is the GGUF type. */
export class GgufFile implements TensorSource {
  private constructor(
    private readonly file: RangedFile,
    readonly architecture: GgufArchitecture,
    readonly metadata: GgufMetadata,
    readonly tensors: ReadonlyMap<string, HuggingFaceEntry>,
    /** Divisors of the rotary frequencies that a file with stretched context carries; `[head size / 2]`. */
    readonly rotaryDivisors: Float32Array | undefined,
  ) {}

  get path(): string {
    return this.file.path;
  }

  static async open(path: string): Promise<GgufFile> {
    const file = await RangedFile.open(path);
    try {
      const { metadata, entries } = await readDirectory(file);
      refuseSplit(metadata, path);
      const architecture = checkArchitecture(metadata.get('general.architecture'), path);
      const tensors = new Map<string, HuggingFaceEntry>();
      for (const entry of entries) {
        const name = toHuggingFaceName(entry.name, path);
        const { shape, byteLength } = entry;
        if (name !== undefined) tensors.set(name, { name, dtype: entry.type.name, shape, byteLength, entry });
      }
      const divisors = entries.find(({ name }) => name === 'rope_freqs.weight');
      const rotaryDivisors = divisors === undefined ? undefined : await decode(file, divisors);
      return new GgufFile(file, architecture, metadata, tensors, rotaryDivisors);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw missingTensor(name, this.path, this.tensors.keys());
    const values = await decode(this.file, tensor.entry);
    const heads = this.permutedHeads(name);
    return heads === undefined ? values : undoRotaryPermutation(values, { heads, shape: tensor.shape, name });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Heads of a projection whose rows the Llama conversion had reordered. */
  private permutedHeads(name: string): number | undefined {
    const [, kind] = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name) ?? [];
    const { architecture, metadata } = this;
    if ((architecture !== 'llama' && architecture !== 'smollm3') || kind === undefined) return undefined;
    const all = metadata.get(`${architecture}.attention.head_count`);
    const heads = kind === 'q' ? all : (metadata.get(`${architecture}.attention.head_count_kv`) ?? all);
    return typeof heads === 'number' ? heads : 0;
  }
}

/**
 * Opens a GGUF file (version 2 or 3) of a Llama (also Mistral), Qwen2, Qwen3 or SmolLM3 model. Only its header is read. The caller closes.
 *
 * @throws MemGenError `gguf-header`, `gguf-tensor`, `gguf-type`, `gguf-architecture`, `gguf-split`, `file-truncated`,
 * `file-not-found`.
 */
export function openGguf(path: string): Promise<GgufFile> {
  return GgufFile.open(path);
}

async function decode(file: RangedFile, { type, shape, offset }: GgufEntry): Promise<Float32Array> {
  const values = new Float32Array(shape.reduce((product, count) => product * count, 1));
  for (let start = 0; start < values.length; start += pieceElements) {
    const piece = values.subarray(start, start + pieceElements);
    const bytes = await file.read(
      offset + (start / type.elements) * type.bytes,
      (piece.length / type.elements) * type.bytes,
    );
    type.decode(bytes, piece);
  }
  return values;
}

function refuseSplit(metadata: GgufMetadata, path: string): void {
  const parts = metadata.get('split.count');
  if (typeof parts !== 'number' || parts <= 1) return;
  throw new MemGenError({
    code: 'gguf-split',
    where: path,
    message: 'this is one part of a model in several GGUF files',
    got: `${parts} parts`,
    hint: 'merge them with `llama-gguf-split --merge`',
  });
}
