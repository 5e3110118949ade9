// Downloads one file into the cache: goes on where an earlier try stopped, and checks length and hash.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import type { CachedRepository } from './cache-layout.js';
import type { FileInfo, HubClient } from './hub-client.js';
import { withoutSecrets } from './hub-error.js';
import { isFile } from './model-files.js';
import { withRetries, type RetryOptions } from './with-retries.js';

interface DownloadFileOptions extends RetryOptions {
  url: string;
  info: FileInfo;
  cached: CachedRepository;
  /** Called with the bytes that are there, first with those of an earlier try. */
  onBytes?: ((received: number) => void) | undefined;
}

/**
 * Makes sure that the blob of a file is in the cache, complete and with the right hash.
 *
 * @throws MemGenError `hub-checksum`, `hub-length`, `disk-full`, and those of {@link HubClient.receive}.
 */
export async function downloadFile(client: HubClient, options: DownloadFileOptions): Promise<void> {
  const { info, cached, onBytes } = options;
  const blob = cached.blob(info.etag);
  if (await isFile(blob)) {
    onBytes?.((await stat(blob)).size);
    return;
  }
  let best = 0;
  const attempt = (): Promise<void> =>
    fetchRest(client, options, (received) => {
      best = Math.max(best, received);
      onBytes?.(received);
    });
  await withRetries(attempt, { ...options, progress: () => best });
  await accept(options);
}

/** Requests what is missing of the file and appends it. */
async function fetchRest(client: HubClient, options: DownloadFileOptions, onBytes: (received: number) => void) {
  const { url, info, cached } = options;
  const path = cached.incomplete(info.etag);
  const handle = await openForUpdate(path);
  try {
    let position = (await handle.stat()).size;
    if (info.size === undefined || position > info.size) position = 0;
    onBytes(position);
    if (position !== info.size) position = await receiveInto(handle, position);
    if (info.size !== undefined && position !== info.size) throw lengthError(url, position, info.size);
    await handle.truncate(position);
    await handle.sync();
  } catch (error) {
    throw toFileError(error, 'store the download', path);
  } finally {
    await handle.close();
  }

  function receiveInto(handle: FileHandle, start: number): Promise<number> {
    const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
    return client.receive(url, { headers }, async (response, alive) => {
      let position = startOf(response, start);
      if (position === undefined) {
        // What would be written now belongs elsewhere; the next try asks for everything.
        await handle.truncate(0);
        throw rangeError(url, start, response.headers.get('content-range'));
      }
      const pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
      for await (const piece of pieces) {
        alive();
        if (info.size !== undefined && position + piece.length > info.size) {
          await handle.truncate(0);
          throw lengthError(url, position + piece.length, info.size);
        }
        await handle.write(piece, 0, piece.length, position);
        position += piece.length;
        onBytes(position);
      }
      return position;
    });
  }
}

/** Where the sent part begins: a server without ranges sends everything again. Undefined if that would leave a gap. */
function startOf(response: Response, requested: number): number | undefined {
  if (response.status !== 206) return 0;
  const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]);
  return start <= requested ? start : undefined;
}

async function openForUpdate(path: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, 'r+').catch(() => open(path, 'w+'));
  } catch (error) {
    throw toFileError(error, 'store the download', path);
  }
}

/** Checks the hash and gives the file its final name. */
async function accept({ url, info, cached }: DownloadFileOptions): Promise<void> {
  const path = cached.incomplete(info.etag);
  try {
    const hash = await hashFile(path, info.etag);
    if (hash !== info.etag) {
      await rm(path, { force: true });
      throw new MemGenError({
        code: 'hub-checksum',
        where: withoutSecrets(url),
        message: 'the file arrived damaged and was deleted',
        got: hash,
        expected: info.etag,
        hint: 'try again; if it happens again, a proxy in between changes what it passes on',
      });
    }
    await rename(path, cached.blob(info.etag));
  } catch (error) {
    // Another process may have finished the same file in the meantime.
    if (await isFile(cached.blob(info.etag))) return;
    throw toFileError(error, 'store the download', path);
  }
}

/** SHA-256 for etags of that length, else the hash that git gives a file. */
async function hashFile(path: string, etag: string): Promise<string> {
  const isSha256 = etag.length === 64;
  const hash = createHash(isSha256 ? 'sha256' : 'sha1');
  if (!isSha256) hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

function rangeError(url: string, requested: number, got: string | null): MemGenError {
  return new MemGenError({
    code: 'hub-length',
    where: withoutSecrets(url),
    message: 'another part of the file was sent than was asked for',
    got: `content-range ${JSON.stringify(got)}`,
    expected: `bytes from ${requested} on`,
    hint: 'try again; if it happens again, a proxy in between changes what it passes on',
  });
}

function lengthError(url: string, got: number, expected: number): MemGenError {
  return new MemGenError({
    code: 'hub-length',
    where: withoutSecrets(url),
    message: 'the file has another length than the hub says',
    got: `${got} bytes`,
    expected: `${expected} bytes`,
    hint: 'try again; if it happens again, a proxy in between changes what it passes on',
  });
}
