// Downloads the files of a model into the cache, in the layout of the Python tools.
import { copyFile, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { MemGenError, toFileError, writeFileAtomically } from '@memgen/common';
import { readShardNames } from '../formats/safetensors/index.js';
import type { CachedRepository } from './cache-layout.js';
import { downloadFile } from './download-file.js';
import type { HubClient, RepositoryInfo } from './hub-client.js';
import type { HubLocation } from './model-id.js';
import { chooseModelFiles, shardIndexName } from './model-files.js';
import { withRetries, type RetryOptions } from './with-retries.js';

/** How far a download is. */
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

/**
 * Downloads a model, or the one GGUF file that `location` names. The revision is noted in the cache when all is there.
 *
 * @returns path of the folder or file in the snapshot.
 * @throws MemGenError `hub-no-model` and those of {@link downloadFile}.
 */
export async function downloadModel(
  client: HubClient,
  location: HubLocation,
  { info, revision, cached }: { info: RepositoryInfo; revision: string; cached: CachedRepository },
  options: DownloadOptions = {},
): Promise<string> {
  const { repository, inside } = location;
  const snapshot = cached.snapshot(info.commit);
  const folder = inside.endsWith('.gguf') ? dirname(inside) : inside;
  const inFolder = (name: string): string => (folder === '' || folder === '.' ? name : `${folder}/${name}`);

  const fetchFile = async (name: string): Promise<void> => {
    const path = inFolder(name);
    if (!info.files.has(path)) throw missingFile(location, path);
    const url = client.fileUrl(repository, info.commit, path);
    const file = await withRetries(() => client.inspect(url), options);
    const totalBytes = file.size;
    const onBytes = (receivedBytes: number): void => options.onProgress?.({ file: path, receivedBytes, totalBytes });
    await downloadFile(client, { ...options, url, info: file, cached, onBytes });
    await linkBlob(cached.blob(file.etag), join(snapshot, path));
  };

  if (inside.endsWith('.gguf')) {
    await fetchFile(basename(inside));
  } else {
    const names = [...info.files.keys()]
      .filter((path) => path === inFolder(basename(path)))
      .map((path) => basename(path));
    const chosen = chooseModelFiles(names, inside === '' ? repository : `${repository}/${inside}`);
    for (const name of chosen) await fetchFile(name);
    if (chosen.includes(shardIndexName)) {
      for (const name of await readShardNames(join(snapshot, inFolder(shardIndexName)))) await fetchFile(name);
    }
  }
  if (revision !== info.commit) await writeFileAtomically(cached.ref(revision), info.commit);
  return join(snapshot, inside);
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

function missingFile({ repository }: HubLocation, path: string): MemGenError {
  return new MemGenError({
    code: 'hub-not-found',
    where: repository,
    message: 'the repository has no such file',
    got: path,
    hint: 'check the spelling on the page of the model',
  });
}
