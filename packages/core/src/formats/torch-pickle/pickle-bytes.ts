// Walks through the bytes of a pickle; each length is checked against what is left.
import type { MemGenError } from '@memgen/common';
import { limits } from './limits.js';
import { torchPickleError, type Problem } from './problem.js';

const newline = 0x0a;

/** Values are little-endian but for floats, as the format has it. */
export class PickleBytes {
  private readonly view: DataView;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private position = 0;
  private opcodeStart = 0;

  constructor(
    private readonly bytes: Uint8Array,
    /** Of the checkpoint, for errors. */
    private readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  opcode(): number {
    this.opcodeStart = this.position;
    return this.uint8();
  }

  uint8(): number {
    return this.view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  /** A two's complement number; a bigint only where a number would lose digits. */
  integer(length: number): number | bigint {
    if (length > limits.integerBytes) {
      throw this.error({ kind: 'limit', message: 'an integer is too long', got: `${length} bytes` });
    }
    const at = this.take(length);
    const negative = length > 0 && this.view.getInt8(at + length - 1) < 0;
    const wide = new Uint8Array(limits.integerBytes).fill(negative ? 0xff : 0);
    wide.set(this.bytes.subarray(at, at + length));
    const halves = new DataView(wide.buffer);
    const value = (halves.getBigInt64(8, true) << 64n) | halves.getBigUint64(0, true);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    if (length > limits.textBytes) {
      throw this.error({
        kind: 'limit',
        message: 'a text is too long',
        got: `${length} bytes`,
        expected: `at most ${limits.textBytes}`,
      });
    }
    return this.decode(this.take(length), length);
  }

  /** Text up to the end of the line, which is stepped over. */
  line(): string {
    const start = this.position;
    const end = this.bytes.subarray(start, start + limits.globalBytes + 1).indexOf(newline);
    if (end < 0) {
      throw this.error({
        kind: 'data',
        message: `the name of a global does not end within ${limits.globalBytes} bytes`,
      });
    }
    this.position = start + end + 1;
    return this.decode(start, end);
  }

  /** Steps over the length of a frame: the frame only says how much may be loaded at a time. */
  skipFrameHeader(): void {
    const length = this.view.getBigUint64(this.take(8), true);
    if (length > BigInt(this.remaining)) {
      throw this.error({ kind: 'data', message: 'a frame goes past the end', got: `${String(length)} bytes` });
    }
  }

  /** An error about the opcode that is being run. */
  error(problem: Problem): MemGenError {
    return torchPickleError(`${this.path}, data.pkl, byte ${this.opcodeStart}`, problem);
  }

  private take(length: number): number {
    if (length > this.remaining) {
      throw this.error({
        kind: 'data',
        message: 'the pickle ends too early',
        got: `${this.remaining} bytes`,
        expected: `${length} more`,
      });
    }
    const at = this.position;
    this.position += length;
    return at;
  }

  private decode(start: number, length: number): string {
    try {
      return this.decoder.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      throw this.error({ kind: 'data', message: 'a text is not UTF-8', cause });
    }
  }
}
