// Finds a model wherever it may be: a folder, a GGUF file, the cache of the Hugging Face tools, the hub.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { CachedRepository } from './cache-layout.js';
import type { DownloadOptions } from './download-files.js';
import { downloadModel } from './download-model.js';
import { absolutePath, findLocalModel } from './find-local-model.js';
import { HubClient, type RepositoryInfo, type RequestOptions } from './hub-client.js';
import { readHubSettings, type HubOptions, type HubSettings } from './hub-settings.js';
import { findMissingFiles, isFile } from './model-files.js';
import { withRetries } from './with-retries.js';
import { checkRevision, parseHubLocation, type HubLocation } from './model-id.js';

/** Options of {@link resolveModel}. */
export interface ResolveModelOptions extends HubOptions, RequestOptions, DownloadOptions {
  /** Branch, tag or commit, for models of the cache and the hub. @default 'main' */
  revision?: string | undefined;
}

/** A model whose files are on this machine. */
export interface ResolvedModel {
  /** As it was asked for. */
  id: string;
  /** Commit on the hub; undefined for folders and files. */
  revision?: string | undefined;
  /** Absolute path of the folder or file. */
  path: string;
  kind: 'folder' | 'gguf';
}

/**
 * Finds a model, in this order: a folder or `.gguf` file of that path; a complete model of that name in the cache (the
 * hub is then not asked whether there is a newer one); the hub, from which it is downloaded into the cache.
 *
 * @param source - a path, or a name such as `HuggingFaceTB/SmolLM2-135M-Instruct`, `org/name/folder` or
 * `org/name/file.gguf`.
 * @throws MemGenError `model-not-found` saying where it was looked for; `model-folder` for a folder that is no model;
 * `hub-offline`, `hub-unauthorized`, `hub-forbidden`, `hub-rate-limit`, `hub-server`, `hub-network`, `hub-timeout`,
 * `hub-checksum`, `hub-length`, `hub-no-model`, `disk-full`, ...
 */
export async function resolveModel(source: string, options: ResolveModelOptions = {}): Promise<ResolvedModel> {
  const local = await findLocalModel(source);
  if (local !== undefined) return { id: source, ...local };
  const location = source.startsWith('~') ? undefined : parseHubLocation(source);
  if (location === undefined) throw notFound(source, [`path ${absolutePath(source)}: nothing there`], onlyPathHint);
  return resolveHubModel(source, location, options);
}

const onlyPathHint = 'check the path; a model of the hub is named organisation/name';

async function resolveHubModel(
  source: string,
  location: HubLocation,
  options: ResolveModelOptions,
): Promise<ResolvedModel> {
  const settings = await readHubSettings(options);
  const revision = checkRevision(options.revision ?? 'main');
  const cached = new CachedRepository(settings.cacheFolder, location.repository);
  const kind = location.inside.endsWith('.gguf') ? 'gguf' : 'folder';

  const { commit, missing } = await lookIntoCache(cached, revision, location);
  if (commit !== undefined && missing.length === 0) {
    return { id: source, revision: commit, path: join(cached.snapshot(commit), location.inside), kind };
  }
  const looked = [
    `folder ${absolutePath(source)}: nothing there`,
    `cache ${cached.folder}: ${commit === undefined ? `no revision ${revision}` : `without ${missing.join(', ')}`}`,
  ];
  if (settings.offline) throw offlineError(source, looked);
  const client = new HubClient(settings, options);
  const info = await askHub(client, { source, location, revision, settings, looked }, options);
  const path = await downloadModel(client, location, { info, revision, cached }, options);
  return { id: source, revision: info.commit, path, kind };
}

async function lookIntoCache(
  cached: CachedRepository,
  revision: string,
  { inside }: HubLocation,
): Promise<{ commit: string | undefined; missing: string[] }> {
  const commit = await cached.findCommit(revision);
  if (commit === undefined) return { commit, missing: [] };
  const path = join(cached.snapshot(commit), inside);
  if (!inside.endsWith('.gguf')) return { commit, missing: await findMissingFiles(path) };
  return { commit, missing: (await isFile(path)) ? [] : [inside] };
}

/** The first question to the hub; its failure tells all that was tried. */
async function askHub(
  client: HubClient,
  {
    source,
    location,
    revision,
    settings,
    looked,
  }: { source: string; location: HubLocation; revision: string; settings: HubSettings; looked: string[] },
  { tries = 3, ...retries }: ResolveModelOptions,
): Promise<RepositoryInfo> {
  try {
    return await withRetries(() => client.describe(location.repository, revision), { tries, ...retries });
  } catch (error) {
    if (!MemGenError.isInstance(error)) throw error;
    const [reason = ''] = error.message.replace(`${error.where ?? ''}: `, '').split('\n');
    const answer = error.got === undefined ? '' : `, ${error.got}`;
    const everywhere = [...looked, `hub ${settings.endpoint}, revision ${revision}: ${reason}${answer}`];
    const isAbsent = error.code === 'hub-not-found' || error.code === 'hub-unauthorized';
    throw notFound(source, everywhere, error.hint, isAbsent ? undefined : error.code, error);
  }
}

function notFound(
  source: string,
  looked: readonly string[],
  hint: string | undefined,
  code = 'model-not-found',
  cause?: unknown,
): MemGenError {
  return new MemGenError({
    code,
    message: `the model ${JSON.stringify(source)} was not found`,
    got: looked.join('\n            '),
    expected: 'a model folder, a .gguf file, or the name of a model in the cache or on the hub',
    hint,
    cause,
  });
}

function offlineError(source: string, looked: readonly string[]): MemGenError {
  const hint = 'unset HF_HUB_OFFLINE to download it, or give a folder';
  return notFound(source, [...looked, 'hub: not asked, because HF_HUB_OFFLINE is set'], hint, 'hub-offline');
}
