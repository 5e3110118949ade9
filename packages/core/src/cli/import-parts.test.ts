// Packages that the command line uses without depending on them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importParts } from './import-parts.js';

let folder: string;
let installed: Map<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-parts-'));
  installed = new Map();
});
afterEach(() => rm(folder, { recursive: true }));

async function install(name: string, source: string): Promise<void> {
  const path = join(folder, `${name.replace('/', '-')}.mjs`);
  await writeFile(path, source);
  installed.set(name, path);
}

function resolve(name: string): { path: string } {
  const path = installed.get(name);
  if (path === undefined) throw new Error('not installed');
  return { path };
}

it('are the classes of the packages that are installed', async () => {
  await install('@memgen/weaver', 'export class LatentWeaver { static load() {} static initialize() {} }');
  const alone = await importParts(resolve);
  expect(alone.weaver).toHaveProperty('name', 'LatentWeaver');
  expect(alone.trigger).toBeUndefined();
  await install('@memgen/trigger', 'export class LanguageModelTrigger { static load() {} }');
  expect((await importParts(resolve)).trigger).toHaveProperty('name', 'LanguageModelTrigger');
});

it('are asked for by name when they are missing or of another kind', async () => {
  await expect(importParts(resolve)).rejects.toMatchObject({
    code: 'package-missing',
    message: expect.stringContaining('@memgen/weaver'),
    got: 'it is not installed',
    hint: expect.stringContaining('npm install'),
  });
  await install('@memgen/weaver', 'export const LatentWeaver = 1;');
  await expect(importParts(resolve)).rejects.toMatchObject({ got: expect.stringContaining('exports no LatentWeaver') });
});

it('are found in this repository', async () => {
  const { weaver, trigger } = await importParts();
  expect([weaver, trigger].map((part) => typeof part?.loadOfficial)).toEqual(['function', 'function']);
});
