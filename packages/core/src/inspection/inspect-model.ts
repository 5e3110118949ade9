// Describes a model, adapter, checkpoint or file of tensors from headers and configurations; weights are never read.
import { readdir, stat } from 'node:fs/promises';
import { MemGenError, toFileError } from '@memgen/common';
import { absolutePath } from '../hub/find-local-model.js';
import { resolveModel, type ResolvedModel, type ResolveModelOptions } from '../hub/index.js';
import { isFile } from '../hub/model-files.js';
import { describeAdapter, isAdapterFolder } from './adapter-facts.js';
import { checkpointManifestName, inspectCheckpoint } from './inspect-checkpoint.js';
import { inspectFolder } from './inspect-folder.js';
import { inspectGguf } from './inspect-gguf.js';
import type { InspectedAdapter, InspectedTensors, Inspection } from './inspection.js';
import { listFiles } from './list-files.js';
import type { Problem } from './problem.js';
import { readTensorInfos } from './stored-tensors.js';

/** Options of {@link inspectModel}. */
export interface InspectModelOptions extends ResolveModelOptions {
  /** Fetch a model of the hub that is not in the cache. @default false */
  download?: boolean;
}

/**
 * Says what something is and whether this package can run it. What stands in the way of running it is among the
 * `problems`, not thrown: an unsupported architecture is described as well.
 *
 * @param source - a model folder, a `.gguf` or `.safetensors` file, a PEFT adapter folder, a checkpoint folder, or the
 * name of a model in the cache of the Hugging Face tools.
 * @throws MemGenError where nothing of that kind is there, or of a single file that is damaged.
 */
export async function inspectModel(source: string, options: InspectModelOptions = {}): Promise<Inspection> {
  const path = absolutePath(source);
  const names = await namesIn(path);
  if (names === undefined) {
    if (/\.safetensors(\.index\.json)?$/.test(path) && (await isFile(path))) return inspectTensors(source, path);
  } else {
    if (names.includes(checkpointManifestName)) return inspectCheckpoint(source, path);
    if (!names.includes('config.json')) {
      if (isAdapterFolder(names)) return inspectAdapter(source, path);
      const isBare =
        names.some((name) => name.endsWith('.safetensors')) && !names.some((name) => name.endsWith('.gguf'));
      if (isBare) return inspectTensors(source, path);
    }
  }
  const found = await resolve(source, options);
  return found.kind === 'gguf' ? inspectGguf(found) : inspectFolder(found);
}

/** Names in a folder; undefined where there is none. */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    return (await stat(path)).isDirectory() ? await readdir(path) : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return;
    throw toFileError(error, 'look at the path', path);
  }
}

/** Only looks, unless a download was asked for. */
async function resolve(source: string, { download = false, ...options }: InspectModelOptions): Promise<ResolvedModel> {
  if (download) return resolveModel(source, options);
  try {
    return await resolveModel(source, { ...options, offline: true });
  } catch (error) {
    if (!MemGenError.isInstance(error) || error.code !== 'hub-offline') throw error;
    throw new MemGenError({
      code: 'model-not-found',
      message: `the model ${JSON.stringify(source)} is neither a path nor in the cache`,
      // That it was not asked is our choice here, not that of an environment variable.
      got: (error.got ?? '').replace(/, because .*$/, ''),
      hint: 'nothing is downloaded only to be inspected; --download does it all the same',
      cause: error,
    });
  }
}

async function inspectAdapter(source: string, path: string): Promise<InspectedAdapter> {
  const problems: Problem[] = [];
  const { adapter, tensors } = await describeAdapter(path, problems);
  return { kind: 'adapter', source, path, adapter, files: await listFiles(path), tensors, problems };
}

async function inspectTensors(source: string, path: string): Promise<InspectedTensors> {
  const { tensors, metadata } = await readTensorInfos(path);
  return { kind: 'tensors', source, path, metadata, files: await listFiles(path), tensors, problems: [] };
}
