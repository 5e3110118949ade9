// A file that only grows: every piece is written as a whole or not at all.
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { toFileError } from '@memgen/common';

/**
 * Appends to one file and hands every piece to the operating system at once (no buffer of its own), so that another
 * program can follow the file. Synchronous: pieces are small and must not overtake one another.
 */
export class AppendFile {
  private constructor(
    readonly path: string,
    private readonly descriptor: number,
    private size: number,
  ) {}

  /** Opens `path`, which is made (with its folder) if it is missing. @throws MemGenError if the system refuses. */
  static open(path: string): AppendFile {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const descriptor = openSync(path, 'a');
      return new AppendFile(path, descriptor, fstatSync(descriptor).size);
    } catch (error) {
      throw toFileError(error, 'open the file', path);
    }
  }

  /**
   * Appends `data`. If the system refuses half-way, what was written of it is taken back.
   *
   * @throws MemGenError with code `disk-full` and others of `toFileError`.
   */
  append(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.descriptor, bytes, written);
      this.size += bytes.length;
    } catch (error) {
      this.takeBack();
      throw toFileError(error, 'append to the file', this.path);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private takeBack(): void {
    try {
      ftruncateSync(this.descriptor, this.size);
    } catch {
      // The error of the append itself says what matters; a torn last line is dropped when the file is read.
    }
  }
}
