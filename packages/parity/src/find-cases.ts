// Finds the cases of a folder that is laid out as the golden data are, or of a part of it.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import { groups, type CaseKind, type Group } from './groups/index.js';

export interface FoundCase {
  /** Place in the layout, e.g. `c_memgen/llama/augment`. */
  name: string;
  kind: CaseKind;
}

export interface FoundCases {
  /** Folder that holds the groups and `models/`. */
  root: string;
  cases: FoundCase[];
}

const unknownKind: CaseKind = { pattern: /^/, unsupported: 'this group is not known' };

/**
 * @param folder - the whole layout, one group, or one case.
 * @param only - patterns (`matchesPattern`), any of which a name must fit. @default all
 * @throws MemGenError `parity-layout` if there is nothing to check.
 */
export async function findCases(folder: string, only: readonly string[] = []): Promise<FoundCases> {
  const { root, part } = locate(resolve(folder));
  const present = new Set(await listNames(root, 'folders'));
  const isChosen = (name: string) => only.length === 0 || only.some((pattern) => matchesPattern(name, pattern));
  const cases: FoundCase[] = [];
  for (const group of groups) {
    if (!present.has(group.folder)) continue;
    for (const name of await caseNames(root, group)) {
      const kind = group.kinds.find(({ pattern }) => pattern.test(basename(name)));
      if (kind !== undefined && isChosen(name) && isWithin(name, part)) cases.push({ name, kind });
    }
  }
  for (const name of present) {
    // Groups are named by a letter; what else lies there (models, notes) is none.
    const isGroup = /^[a-z]_/.test(name) && !groups.some((group) => group.folder === name);
    if (isGroup && isChosen(name) && isWithin(name, part)) cases.push({ name, kind: unknownKind });
  }
  if (cases.length > 0) return { root, cases };
  throw new MemGenError({
    code: 'parity-layout',
    where: folder,
    message: 'there are no cases to check here',
    got: only.length > 0 ? `nothing that fits ${only.join(', ')}` : 'none of the groups, and no part of one',
    expected: `a folder with some of ${groups.map((group) => group.folder).join(', ')}, or a group or case of one`,
    hint: 'see the README of the golden data for the layout',
  });
}

/**
 * Whether a name fits a pattern: a group's first letter, a name or the beginning of one at a slash, or a glob, in which
 * `*` stands for anything but a slash and `**` for anything.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  if (/^[a-z]$/.test(pattern)) return name.startsWith(`${pattern}_`);
  const parts = pattern.replace(/\/$/, '').split(/(\*+)/);
  const source = parts.map((part) => {
    if (part.startsWith('*')) return part === '*' ? '[^/]*' : '.*';
    return part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source.join('')}(/|$)`).test(name);
}

/** The layout that a path is in: by the name of the group among its last parts. */
function locate(path: string): { root: string; part: string } {
  let root = path;
  let part = '';
  for (let depth = 0; depth < 3; depth++) {
    part = part === '' ? basename(root) : `${basename(root)}/${part}`;
    if (groups.some((group) => group.folder === basename(root))) return { root: dirname(root), part };
    root = dirname(root);
  }
  return { root: path, part: '' };
}

function isWithin(name: string, part: string): boolean {
  const wanted = part.replace(/\.json$/, '');
  return wanted === '' || name === wanted || name.startsWith(`${wanted}/`);
}

async function caseNames(root: string, { folder, cases }: Group): Promise<string[]> {
  switch (cases) {
    case 'itself':
      return [folder];
    case 'json files':
      return (await listNames(join(root, folder), 'json')).map((name) => `${folder}/${name}`);
    case 'folders':
      return (await listNames(join(root, folder), 'folders')).map((name) => `${folder}/${name}`);
    case 'folders of folders': {
      const names: string[] = [];
      for (const outer of await listNames(join(root, folder), 'folders')) {
        const inner = await listNames(join(root, folder, outer), 'folders');
        names.push(...inner.map((name) => `${folder}/${outer}/${name}`));
      }
      return names;
    }
  }
}

/** Sorted names in a folder; those of JSON files without their ending. */
async function listNames(folder: string, wanted: 'folders' | 'json'): Promise<string[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    throw toFileError(error, 'read the folder', folder);
  }
  if (wanted === 'json') return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  const flags = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).isDirectory()));
  return names.filter((_, i) => flags[i]);
}
