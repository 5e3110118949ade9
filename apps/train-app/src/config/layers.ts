// The files of an experiment: one that names another by `extends` changes what it differs in.
import { realpath } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';
import { isGroup, memberOf, type KeyPath } from './nested-data.js';
import { withOwnNames } from './reference-keys.js';
import { readYaml, type YamlSource } from './yaml-source.js';

/** More levels than a person can follow. */
const maxLevels = 20;

/**
 * Reads a file and what it extends, in our names of settings.
 *
 * @returns all settings, and where each was set: by the file nearest to `file` that does.
 * @throws MemGenError with code `config-extends` for a circle or too many levels, `config-yaml`, `config`, `file-not-found`.
 */
export async function readLayers(file: string): Promise<YamlSource> {
  const layers: YamlSource[] = [];
  const chain: string[] = [];
  let next: { path: string; named?: string } | undefined = { path: file };
  while (next !== undefined) {
    const { path, named }: { path: string; named?: string } = next;
    const source: YamlSource = named === undefined ? await readYaml(path) : await readBase(path, named);
    chain.push(await realpath(path));
    const { extends: base, ...all } = source.data;
    const settings = named === undefined ? all : withoutNext(all);
    const where = source.locate(['extends']);
    const own = withOwnNames(settings, source.locate);
    layers.push({ data: own.data, locate: (keys) => source.locate(own.givenPath(keys)) });
    next =
      base === undefined || base === null
        ? undefined
        : { path: await basePath(base, { path, where, chain }), named: where };
  }
  return {
    data: layers.reduceRight<Record<string, unknown>>((data, layer) => mergeSettings(data, layer.data), {}),
    locate: (path) => (layers.find(({ data }) => isSet(data, path)) ?? layers[0]!).locate(path),
  };
}

/** `change` over `base`: groups key by key, everything else as a whole; `null` takes a setting back. */
export function mergeSettings(base: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  // Settings of one task mean nothing to another.
  const otherTask = 'task' in base && 'task' in change && base.task !== change.task;
  if (otherTask) return change;
  const merged = Object.entries(change).map(([key, value]): [string, unknown] => {
    const before = memberOf(base, key);
    return [key, isGroup(value) && isGroup(before) ? mergeSettings(before, value) : value];
  });
  return Object.fromEntries([...Object.entries(base), ...merged]);
}

/** What follows an experiment follows it alone, not those that extend it. */
function withoutNext(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => key !== 'next'));
}

async function readBase(path: string, named: string): Promise<YamlSource> {
  try {
    return await readYaml(path);
  } catch (error) {
    if (!MemGenError.isInstance(error) || error.code === 'config-yaml') throw error;
    throw new MemGenError({
      code: error.code,
      where: named,
      message: 'the configuration that this one extends cannot be read',
      got: path,
      expected: 'a file, relative to the one that names it',
      cause: error,
    });
  }
}

async function basePath(
  base: unknown,
  { path, where, chain }: { path: string; where: string; chain: readonly string[] },
): Promise<string> {
  if (typeof base !== 'string' || base === '') {
    throw extendsError(where, '"extends" names one other file', JSON.stringify(base), 'for example "tiny-shop.yaml"');
  }
  const next = resolve(dirname(path), base);
  const real = await realpath(next).catch(() => next);
  if (chain.includes(real)) {
    const circle = [...chain.slice(chain.indexOf(real)), real].map((name) => relative(dirname(real), name));
    throw extendsError(where, 'the configurations extend one another in a circle', circle.join(' -> '));
  }
  if (chain.length >= maxLevels) {
    throw extendsError(where, 'too many configurations extend one another', `more than ${maxLevels} levels`);
  }
  return next;
}

function isSet(data: unknown, path: KeyPath): boolean {
  return path.reduce(memberOf, data) !== undefined;
}

function extendsError(where: string, message: string, got: string, expected?: string): MemGenError {
  return new MemGenError({ code: 'config-extends', where, message, got, expected });
}
