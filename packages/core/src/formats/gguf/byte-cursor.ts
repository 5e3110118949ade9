// Walks through the front part of a file value by value, loading it a window at a time.
import { MemGenError } from '@memgen/common';
import type { RangedFile } from '../ranged-file.js';

const windowBytes = 2 ** 20;
const textDecoder = new TextDecoder();

/** Reads little-endian values in order; every length is checked against the rest of the file before it is loaded. */
export class ByteCursor {
  private window = new Uint8Array(0);
  private view = new DataView(this.window.buffer);
  private windowStart = 0;
  private position = 0;

  constructor(private readonly file: RangedFile) {}

  /** Bytes from the start of the file. */
  get offset(): number {
    return this.windowStart + this.position;
  }

  /** Bytes until the end of the file. */
  get remaining(): number {
    return this.file.size - this.offset;
  }

  async uint32(): Promise<number> {
    const at = await this.take(4);
    return this.view.getUint32(at, true);
  }

  /** @throws MemGenError for a value beyond 2^53: every such number here is a count, and none can be that large. */
  async uint64(what: string): Promise<number> {
    const at = await this.take(8);
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what} cannot be so large`, String(value));
    return Number(value);
  }

  /** Text of a 64-bit length of at most `longest` bytes. What is not UTF-8 becomes replacement characters. */
  async text(longest: number, what: string): Promise<string> {
    const length = await this.uint64(`the length of ${what}`);
    if (length > longest) throw this.error(`${what} is too long`, `${length} bytes`, `at most ${longest}`);
    const at = await this.take(length);
    return textDecoder.decode(this.window.subarray(at, at + length));
  }

  /** A copy of the next `length` bytes. */
  async bytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const at = await this.take(length);
    return this.window.slice(at, at + length);
  }

  /** An error about the place that was just read. */
  error(message: string, got?: string, expected?: string): MemGenError {
    return new MemGenError({
      code: 'gguf-header',
      where: `${this.file.path}, byte ${this.offset}`,
      message,
      got,
      expected,
      hint: 'this is no GGUF file of version 2 or 3, or it is damaged; get it again',
    });
  }

  /** Makes sure that `length` bytes are loaded, steps over them and says where in the window they start. */
  private async take(length: number): Promise<number> {
    if (this.position + length > this.window.length) {
      const start = this.offset;
      const wanted = Math.max(length, Math.min(windowBytes, this.file.size - start));
      this.window = await this.file.read(start, wanted);
      this.view = new DataView(this.window.buffer);
      this.windowStart = start;
      this.position = 0;
    }
    const at = this.position;
    this.position += length;
    return at;
  }
}
