// One open safetensors file.
import { MemGenError } from '@memgen/common';
import { RangedFile } from '../ranged-file.js';
import type { WeightFile } from '../weight-file.js';
import { missingTensor } from '../missing-tensor.js';
import { decodeFloats, decodeNumbers, dtypeSizes, isFloatDtype } from './dtypes.js';
import { readSafetensorsHeader, type SafetensorsHeader, type StoredTensor } from './header.js';

/** Converted a piece at a time, so that a bfloat16 tensor needs no second buffer of its own size. */
const pieceElements = 2 ** 20;

/** An open safetensors file or folder of shards. */
export interface SafetensorsFile extends WeightFile {
  /** `__metadata__` of the file; of shards, the `metadata` of their index, as text. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads one `.safetensors` file by ranges. */
export class SingleSafetensorsFile implements SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;

  private constructor(
    private readonly file: RangedFile,
    header: SafetensorsHeader,
  ) {
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  static async open(path: string): Promise<SingleSafetensorsFile> {
    const file = await RangedFile.open(path);
    try {
      return new SingleSafetensorsFile(file, await readSafetensorsHeader(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const { dtype, offset, byteLength } = this.find(name);
    if (!isFloatDtype(dtype)) {
      throw new MemGenError({
        code: 'tensor-type',
        where: `${this.file.path}, tensor "${name}"`,
        message: 'this tensor cannot be read as float32',
        got: dtype,
        expected: 'F32, BF16, F16 or F64',
        hint: 'integers are read with readNumbers; weights of 8 bits have to be converted first',
      });
    }
    const size = dtypeSizes.get(dtype) ?? 1;
    const values = new Float32Array(byteLength / size);
    if (dtype === 'F32') {
      await this.file.readInto(new Uint8Array(values.buffer), offset);
      return values;
    }
    for (let start = 0; start < values.length; start += pieceElements) {
      const piece = values.subarray(start, start + pieceElements);
      decodeFloats(await this.file.read(offset + start * size, piece.length * size), dtype, piece);
    }
    return values;
  }

  async readRaw(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { offset, byteLength } = this.find(name);
    return this.file.read(offset, byteLength);
  }

  async readNumbers(name: string): Promise<number[]> {
    return decodeNumbers(await this.readRaw(name), this.find(name).dtype, name);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private find(name: string): StoredTensor {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw missingTensor(name, this.file.path, this.tensors.keys());
  }
}
