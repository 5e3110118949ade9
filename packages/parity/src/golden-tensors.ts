// One safetensors file of recorded results.
import { MemGenError } from '@memgen/common';
import { openSafetensors, type SafetensorsFile } from '@memgen/core';

/** Tensors by the reference's names, whether they were recorded or are given by a formula. */
export interface OfficialTensors {
  readonly names: string[];
  shape(name: string): readonly number[];
  floats(name: string): Promise<Float32Array>;
}

/** Reads recorded tensors by name; closed by the case that opened it. */
export class GoldenTensors implements OfficialTensors {
  private constructor(
    readonly file: SafetensorsFile,
    private readonly path: string,
  ) {}

  static async open(path: string): Promise<GoldenTensors> {
    return new GoldenTensors(await openSafetensors(path), path);
  }

  get names(): string[] {
    return [...this.file.tensors.keys()];
  }

  has(name: string): boolean {
    return this.file.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    const info = this.file.tensors.get(name);
    if (info !== undefined) return info.shape;
    throw new MemGenError({
      code: 'tensor-missing',
      where: this.path,
      message: `there is no tensor "${name}"`,
      hint: 'this folder is not laid out as its kind of case is',
    });
  }

  /** Row-major values. */
  floats(name: string): Promise<Float32Array> {
    return this.file.readFloat32(name);
  }

  /** Integers of a `[rows, columns]` tensor, row by row. */
  async rows(name: string): Promise<number[][]> {
    const shape = this.shape(name);
    if (shape.length !== 2) {
      throw new MemGenError({
        code: 'tensor-shape',
        where: `${this.path}, tensor "${name}"`,
        message: 'a table is needed',
        got: `[${shape.join(', ')}]`,
        expected: 'two dimensions',
      });
    }
    const [count, width] = shape as [number, number];
    const values = await this.file.readNumbers(name);
    return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
