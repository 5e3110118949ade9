// Describes a checkpoint folder of this project: the model it belongs to and its parts.
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { readJsonFile, type TensorInfo } from '../formats/index.js';
import { checkpointVersion } from '../memgen/manifest.js';
import { describeAdapter, isAdapterFolder } from './adapter-facts.js';
import type { InspectedCheckpoint } from './inspection.js';
import { listFiles } from './list-files.js';
import { attempt, toProblem, type Problem } from './problem.js';
import { countParameters, readTensorInfos } from './stored-tensors.js';

export const checkpointManifestName = 'memgen.json';

/** The manifest is read leniently, so that one of a newer version can be described as well. */
export async function inspectCheckpoint(source: string, path: string): Promise<InspectedCheckpoint> {
  const problems: Problem[] = [];
  const where = join(path, checkpointManifestName);
  const manifest = await attempt(problems, 'checkpoint', () =>
    readJsonFile(where, 'the manifest of a MemGen checkpoint'),
  );
  const version = typeof manifest?.schema_version === 'number' ? manifest.schema_version : undefined;
  if (manifest !== undefined && version !== checkpointVersion) {
    problems.push(toProblem('checkpoint', versionError(where, version)));
  }
  const files = await listFiles(path);
  const tensors: TensorInfo[] = [];
  const parts: InspectedCheckpoint['parts'] = [];
  for (const name of partNames(manifest?.parts)) {
    const part = await attempt(problems, 'checkpoint', () => describePart(path, name, problems));
    if (part === undefined) continue;
    files.push(...part.files);
    tensors.push(...part.tensors);
    parts.push({ name, parameters: countParameters(part.tensors), adapter: part.adapter });
  }
  const reasoner = describeReasoner(manifest?.reasoner);
  return { kind: 'checkpoint', source, path, version, reasoner, parts, files, tensors, problems };
}

function versionError(where: string, version: number | undefined): MemGenError {
  return new MemGenError({
    code: 'checkpoint',
    where,
    message: 'this version cannot be read',
    got: version === undefined ? 'no schema_version' : `schema_version ${version}`,
    expected: `schema_version ${checkpointVersion}`,
    hint: 'open it with the version of @memgen/core that wrote it',
  });
}

async function describePart(checkpoint: string, name: string, problems: Problem[]) {
  const folder = join(checkpoint, name);
  const files = await listFiles(folder);
  const names = files.map((file) => file.name);
  const described = isAdapterFolder(names) ? await describeAdapter(folder, problems) : undefined;
  const tensors = [...(described?.tensors ?? [])];
  for (const file of names) {
    if (!file.endsWith('.safetensors') || (described !== undefined && file === 'adapter_model.safetensors')) continue;
    const read = await attempt(problems, 'weights', () => readTensorInfos(join(folder, file)));
    tensors.push(...(read?.tensors ?? []));
  }
  return {
    files: files.map((file) => ({ ...file, name: `${name}/${file.name}` })),
    tensors,
    adapter: described?.adapter,
  };
}

/** Plain names only: a manifest must not lead elsewhere. */
function partNames(parts: unknown): string[] {
  const names: unknown[] = Array.isArray(parts) ? parts : [];
  return names.filter((name): name is string => typeof name === 'string' && /^[a-z][\w-]*$/i.test(name));
}

function describeReasoner(json: unknown): InspectedCheckpoint['reasoner'] {
  const entries = new Map(typeof json === 'object' && json !== null ? Object.entries(json) : []);
  const text = (name: string): string | undefined => {
    const value: unknown = entries.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return { source: text('source'), revision: text('revision'), configHash: text('config_sha256') };
}
