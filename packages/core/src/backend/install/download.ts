// Downloads a file of known size and hash: goes on where an earlier try stopped, keeps nothing that does not match.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MemGenError } from '@memgen/common';
import { reason } from './python-index.js';

export interface DownloadOptions {
  /** Says where the file is; only asked when something is missing. */
  locate: () => Promise<string>;
  path: string;
  /** Expected bytes; a server that sends more is cut off. */
  size: number;
  sha256: string;
  onProgress?: (doneBytes: number) => void;
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
}

/**
 * Leaves a verified file at `path`; there at once if it already is. What arrived of a broken download stays beside it as
 * `path.partial`. Throws `MemGenError`: `backend-download` (network), `backend-hash` (wrong content; nothing is kept).
 */
export async function download({
  locate,
  path,
  size,
  sha256,
  onProgress = () => undefined,
  fetch = globalThis.fetch,
  signal,
}: DownloadOptions): Promise<void> {
  if ((await fileSize(path)) === size && (await sha256OfFile(path)) === sha256) return;
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  let done = await fileSize(partial);
  if (done > size) {
    await rm(partial);
    done = 0;
  }
  const url = done < size ? await locate() : path;
  if (done < size) await receive({ url, partial, start: done, size, onProgress, fetch, signal });
  const got = await sha256OfFile(partial);
  if (got !== sha256) {
    await rm(partial);
    throw new MemGenError({
      code: 'backend-hash',
      where: url,
      message: 'the downloaded file is not the expected one and was deleted',
      got: `sha256 ${got}`,
      expected: `sha256 ${sha256}`,
      hint: 'try again; if it stays, the package index serves another file',
    });
  }
  await rename(partial, path);
}

interface ReceiveOptions extends Required<Pick<DownloadOptions, 'size' | 'onProgress' | 'fetch'>> {
  url: string;
  partial: string;
  start: number;
  signal: AbortSignal | undefined;
}

async function receive({ url, partial, start, size, onProgress, fetch, signal }: ReceiveOptions): Promise<void> {
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
  try {
    const response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
    if (!response.ok || response.body === null) {
      throw new Error(`the server answered ${response.status} ${response.statusText}`);
    }
    const resumed = response.status === 206;
    let done = resumed ? start : 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, callback) {
        done += chunk.length;
        if (done > size) {
          callback(new Error(`the server sent more than ${size} bytes`));
          return;
        }
        onProgress(done);
        callback(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(partial, { flags: resumed ? 'a' : 'w' }));
    if (done !== size) throw new Error(`the connection ended after ${done} of ${size} bytes`);
  } catch (cause) {
    throw new MemGenError({
      code: 'backend-download',
      where: url,
      message: 'the download broke off',
      got: reason(cause),
      hint: 'run the command again: it goes on where it stopped',
      cause,
    });
  }
}

async function fileSize(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

/** The hash of a file, in lower-case hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
