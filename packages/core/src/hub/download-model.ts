// Downloads the files of a model into the cache.
import { basename, join } from 'node:path';
import { writeFileAtomically } from '@memgen/common';
import { readShardNames } from '../formats/shard-index.js';
import type { CachedRepository } from './cache-layout.js';
import { fileFetcher, type DownloadOptions } from './download-files.js';
import type { HubClient, RepositoryInfo } from './hub-client.js';
import type { HubLocation } from './model-id.js';
import { chooseModelFiles, isShardIndex } from './model-files.js';

/**
 * Downloads a model, or the one GGUF file that `location` names. The revision is noted in the cache when all is there.
 *
 * @returns path of the folder or file in the snapshot.
 * @throws MemGenError `hub-no-model` and those of {@link fileFetcher}.
 */
export async function downloadModel(
  client: HubClient,
  { repository, inside }: HubLocation,
  { info, revision, cached }: { info: RepositoryInfo; revision: string; cached: CachedRepository },
  options: DownloadOptions = {},
): Promise<string> {
  const snapshot = cached.snapshot(info.commit);
  const fetchFiles = fileFetcher(client, { repository, info, cached }, options);

  if (inside.endsWith('.gguf')) {
    await fetchFiles([inside]);
  } else {
    const inFolder = (name: string): string => (inside === '' ? name : `${inside}/${name}`);
    const names = [...info.files.keys()]
      .filter((path) => path === inFolder(basename(path)))
      .map((path) => basename(path));
    const chosen = chooseModelFiles(names, inside === '' ? repository : `${repository}/${inside}`);
    await fetchFiles(chosen.map(inFolder));
    const index = chosen.find(isShardIndex);
    if (index !== undefined) {
      await fetchFiles((await readShardNames(join(snapshot, inFolder(index)))).map(inFolder));
    }
  }
  if (revision !== info.commit) await writeFileAtomically(cached.ref(revision), info.commit);
  return join(snapshot, inside);
}
