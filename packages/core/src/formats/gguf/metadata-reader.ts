// Checked access to the metadata of one GGUF architecture.
import { MemGenError } from '@memgen/common';
import type { GgufFile } from './gguf-file.js';
import type { GgufValue } from './metadata.js';

/** Reads the metadata of one architecture with checks. Names are given without the architecture's prefix. */
export class MetadataReader {
  constructor(private readonly file: Pick<GgufFile, 'architecture' | 'metadata' | 'path'>) {}

  get architecture(): string {
    return this.file.architecture;
  }

  value(name: string): GgufValue | undefined {
    return this.file.metadata.get(`${this.file.architecture}.${name}`);
  }

  /** A positive whole number. */
  count(name: string): number {
    const count = this.optionalCount(name);
    if (count === undefined) throw this.error(`the value ${this.file.architecture}.${name} is missing`);
    return count;
  }

  optionalCount(name: string): number | undefined {
    const value = this.uniform(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
    throw this.error(
      `the value ${this.file.architecture}.${name} is wrong`,
      Array.isArray(value) ? 'different numbers for the layers' : String(value),
      'a positive whole number',
    );
  }

  /** Some files give one number for each layer; equal ones count as one. */
  private uniform(name: string): GgufValue | undefined {
    const value = this.value(name);
    if (typeof value !== 'object') return value;
    const [first] = value;
    return value.every((item) => item === first) ? first : value;
  }

  /** A float32, as the decimal number that was meant. */
  real(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return shortestDecimal(value);
    throw this.error(`the value ${this.file.architecture}.${name} is wrong`, String(value), 'a positive number');
  }

  /** The id of a special token, null where the file names none. */
  token(name: string): number | null {
    const id = this.file.metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' ? id : null;
  }

  error(message: string, got?: string, expected?: string): MemGenError {
    return new MemGenError({
      code: 'gguf-metadata',
      where: this.file.path,
      message,
      got,
      expected,
      hint: 'the file was not made for this kind of model or is damaged',
    });
  }
}

/** 9.999999747378752e-6 is what float32 made of 1e-5: the shortest decimal that gives the same float32. */
function shortestDecimal(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}
