// Downloads files of a repository into the cache, in the layout of the Python tools.
import { copyFile, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import type { CachedRepository } from './cache-layout.js';
import { downloadFile } from './download-file.js';
import type { HubClient, RepositoryInfo } from './hub-client.js';
import { inParallel } from './in-parallel.js';
import { withRetries, type RetryOptions } from './with-retries.js';

/** As many as the Python tools fetch by default would be 8; few large files gain nothing from more. */
const mostAtATime = 4;

/** How far a download is. Files come several at a time, so their steps are mixed. */
export interface DownloadProgress {
  /** Path in the repository. */
  file: string;
  /** Bytes of this file that are there, and its size where the hub says it. */
  receivedBytes: number;
  totalBytes: number | undefined;
}

export interface DownloadOptions extends RetryOptions {
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Fetches files of one commit, given by their paths in the repository. */
export type FetchFiles = (paths: readonly string[]) => Promise<void>;

/**
 * @returns fetches files into the snapshot of the commit; it throws MemGenError `hub-not-found` for a path that is not in
 *   the repository, and those of {@link downloadFile}.
 */
export function fileFetcher(
  client: HubClient,
  { repository, info, cached }: { repository: string; info: RepositoryInfo; cached: CachedRepository },
  options: DownloadOptions = {},
): FetchFiles {
  const snapshot = cached.snapshot(info.commit);
  // Files of the same content are one blob, which must not be fetched twice at a time.
  const blobs = new Map<string, Promise<void>>();
  const fetchFile = async (path: string, signal: AbortSignal): Promise<void> => {
    if (!info.files.has(path)) throw missingFile(repository, path);
    const url = client.fileUrl(repository, info.commit, path);
    const stoppable = client.stoppedBy(signal);
    const retries = { ...options, signal: stoppable.signal };
    const file = await withRetries(() => stoppable.inspect(url), retries);
    const totalBytes = file.size;
    const onBytes = (receivedBytes: number): void => options.onProgress?.({ file: path, receivedBytes, totalBytes });
    const blob = blobs.get(file.etag) ?? downloadFile(stoppable, { ...retries, url, info: file, cached, onBytes });
    blobs.set(file.etag, blob);
    await blob;
    await linkBlob(cached.blob(file.etag), join(snapshot, path));
  };
  return (paths) => inParallel(paths, mostAtATime, fetchFile);
}

/** A relative link, so that the cache can be moved; a copy where links are not allowed (Windows). */
async function linkBlob(blob: string, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(temporary, { force: true });
    await symlink(relative(dirname(path), blob), temporary).catch(() => copyFile(blob, temporary));
    await rename(temporary, path);
  } catch (error) {
    throw toFileError(error, 'store the download', path);
  }
}

function missingFile(repository: string, path: string): MemGenError {
  return new MemGenError({
    code: 'hub-not-found',
    where: repository,
    message: 'the repository has no such file',
    got: path,
    hint: 'check the spelling on the page of the model',
  });
}
