// A file that is read piece by piece at checked offsets, never as a whole.
import { open, type FileHandle } from 'node:fs/promises';
import { MemGenError, toFileError } from '@memgen/common';

/** Node refuses reads of 2 GiB and more. */
const longestRead = 2 ** 30;

/** An open file; safe for overlapping reads. */
export class RangedFile {
  private constructor(
    readonly path: string,
    /** Bytes, as of opening. */
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  /** @throws MemGenError if the file is missing, unreadable or a folder. */
  static async open(path: string): Promise<RangedFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'r');
      const status = await handle.stat();
      if (status.isFile()) return new RangedFile(path, status.size, handle);
    } catch (error) {
      await handle?.close();
      throw toFileError(error, 'open the file', path);
    }
    await handle.close();
    throw new MemGenError({
      code: 'not-a-file',
      where: path,
      message: 'this is no ordinary file',
      hint: 'give the path of a file',
    });
  }

  /** Reads `length` bytes; the range is checked against the size before anything is allocated. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.check(offset, length);
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, offset);
    return bytes;
  }

  /** Fills `target` from `offset` on. */
  async readInto(target: Uint8Array, offset: number): Promise<void> {
    this.check(offset, target.length);
    let done = 0;
    while (done < target.length) {
      const length = Math.min(target.length - done, longestRead);
      const { bytesRead } = await this.readOnce(target, done, length, offset + done);
      if (bytesRead === 0) throw this.tooShort(offset, target.length);
      done += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async readOnce(target: Uint8Array, start: number, length: number, position: number) {
    try {
      return await this.handle.read(target, start, length, position);
    } catch (error) {
      throw toFileError(error, 'read the file', this.path);
    }
  }

  private check(offset: number, length: number): void {
    const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
    if (!valid || offset + length > this.size) throw this.tooShort(offset, length);
  }

  private tooShort(offset: number, length: number): MemGenError {
    return new MemGenError({
      code: 'file-truncated',
      where: this.path,
      message: 'the file ends too early',
      got: `${this.size} bytes`,
      expected: `${length} bytes from offset ${offset} on`,
      hint: 'it was probably cut off in a download or copy; get it again',
    });
  }
}
