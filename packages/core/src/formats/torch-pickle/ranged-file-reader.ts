// Lets yauzl read a zip file by checked ranges of a file that is open already.
import yauzl from 'yauzl';
import type { RangedFile } from '../ranged-file.js';

/** Serves directories and headers, not streams; the file stays open when yauzl is done with it. */
export class RangedFileReader extends yauzl.RandomAccessReader {
  constructor(private readonly file: RangedFile) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.file.readInto(buffer.subarray(offset, offset + length), position).then(
      () => {
        callback(null);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}
