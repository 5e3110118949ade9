// Finds a MemGen checkpoint: a folder, the cache of the Hugging Face tools, a folder of a repository on the hub.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, recoverFolder, toFileError, writeFileAtomically } from '@memgen/common';
import { CachedRepository } from './cache-layout.js';
import { checkpointFolders, checkpointLayout, chooseCheckpointFiles } from './checkpoint-files.js';
import { fileFetcher } from './download-files.js';
import { absolutePath } from './find-local-model.js';
import { HubClient } from './hub-client.js';
import { readHubSettings } from './hub-settings.js';
import { checkRevision, parseHubLocation } from './model-id.js';
import type { ResolveModelOptions } from './resolve-model.js';
import { withRetries } from './with-retries.js';

/** A checkpoint whose files are on this machine. */
export interface ResolvedCheckpoint {
  /** Absolute path of the folder. */
  path: string;
  /** Commit on the hub; undefined for folders. */
  revision?: string | undefined;
  /** `own` is that of this project, `official` that of the PyTorch code of the MemGen paper. */
  layout: 'own' | 'official';
}

/**
 * Finds a checkpoint, in this order: a folder of that path; the cache; the hub.
 * @param source - a path, or `organisation/name` with the folder in the repository, such as
 *   `Kana-s/MemGen/Qwen2.5-1.5B-Instruct/gsm8k/weaver-sft`.
 * @throws MemGenError `checkpoint-not-found` saying where it was looked for and which folders of a repository hold
 *   checkpoints; those of the hub as {@link resolveModel} has them.
 */
export async function resolveCheckpoint(
  source: string,
  options: ResolveModelOptions = {},
): Promise<ResolvedCheckpoint> {
  const path = absolutePath(source);
  if (source !== '' && !source.includes('\0')) {
    await recoverFolder(path).catch(() => false);
    const names = await namesIn(path);
    const layout = names && checkpointLayout(names);
    if (layout !== undefined) return { path, layout };
    if (names !== undefined) throw notFound(source, names.slice(0, 10).join(', ') || 'an empty folder', onlyPathHint);
  }
  const location = source.startsWith('~') ? undefined : parseHubLocation(source);
  if (location?.repository.includes('/') !== true) throw notFound(source, `nothing at ${path}`, onlyPathHint);

  const { repository, inside } = location;
  const settings = await readHubSettings(options);
  const revision = checkRevision(options.revision ?? 'main');
  const cached = new CachedRepository(settings.cacheFolder, repository);
  const known = await cached.findCommit(revision);
  if (known !== undefined) {
    const folder = join(cached.snapshot(known), inside);
    const layout = checkpointLayout((await namesIn(folder)) ?? []);
    if (layout !== undefined) return { path: folder, revision: known, layout };
  }
  if (settings.offline) {
    const hint = 'unset HF_HUB_OFFLINE to download it, or give a folder';
    throw notFound(source, `nothing at ${path}, nor in the cache ${cached.folder}`, hint);
  }
  const client = new HubClient(settings, options);
  const info = await withRetries(() => client.describe(repository, revision), { tries: 3, ...options });
  const top = inside === '' ? '' : `${inside}/`;
  const paths = [...info.files.keys()];
  const chosen = chooseCheckpointFiles(paths.flatMap((p) => (p.startsWith(top) ? [p.slice(top.length)] : [])));
  if (chosen === undefined) {
    const folders = checkpointFolders(paths);
    const listed = folders.slice(0, 12).map((folder) => `${repository}/${folder}`);
    const hint =
      folders.length === 0
        ? 'this repository holds none'
        : `this repository holds ${listed.join(', ')}${folders.length > 12 ? ` and ${folders.length - 12} more` : ''}`;
    throw notFound(source, 'no checkpoint in this folder of the repository', hint);
  }
  const fetchFiles = fileFetcher(client, { repository, info, cached }, options);
  const manifest = chosen.at(-1)!;
  await fetchFiles(chosen.slice(0, -1).map((name) => top + name));
  await fetchFiles([top + manifest]);
  if (revision !== info.commit) await writeFileAtomically(cached.ref(revision), info.commit);
  const layout = manifest === 'memgen.json' ? 'own' : 'official';
  return { path: join(cached.snapshot(info.commit), inside), revision: info.commit, layout };
}

const onlyPathHint = 'give the folder that holds memgen.json, or organisation/name/folder on the hub';

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return;
    throw toFileError(error, 'look for the checkpoint', folder);
  }
}

function notFound(source: string, got: string, hint: string): MemGenError {
  return new MemGenError({
    code: 'checkpoint-not-found',
    message: `the checkpoint ${JSON.stringify(source)} was not found`,
    got,
    expected: 'a folder with memgen.json, or one that the official code wrote (config.json, weaver.bin, projs.bin)',
    hint,
  });
}
