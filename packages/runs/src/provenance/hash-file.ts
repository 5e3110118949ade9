// The SHA-256 of a file or a text, by which a manifest names exact data and weights.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { toFileError } from '@memgen/common';

/** Lower-case hexadecimal SHA-256 of a file, read piece by piece. @throws MemGenError if it cannot be read. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch (error) {
    throw toFileError(error, 'hash the file', path);
  }
  return hash.digest('hex');
}

/** Lower-case hexadecimal SHA-256 of a text in UTF-8, e.g. of generated rows as JSON lines. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
