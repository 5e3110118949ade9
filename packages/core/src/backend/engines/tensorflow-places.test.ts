// Where a tfjs-node is looked for, and in which order.
import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { engineVersion } from './engine-version.js';
import { engineName, tensorflowPlaces } from './tensorflow-places.js';

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'memgen-places-')));
});

async function touch(path: string, content = ''): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function installPackage(folder: string, { built }: { built: boolean }): Promise<void> {
  await touch(join(folder, 'package.json'), '{"name":"x","version":"4.22.0"}');
  if (built) await touch(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'));
}

describe('tensorflowPlaces', () => {
  it('prefers GPU packages, then the project, then private engines of this version, GPU first', async () => {
    const modules = join(root, 'project', 'node_modules', '@tensorflow');
    await installPackage(join(modules, 'tfjs-node'), { built: false });
    await installPackage(join(modules, 'tfjs-node-gpu'), { built: true });
    const engines = join(root, 'cache', 'engines');
    const engine = (gpu: boolean, version: string): string => join(engines, engineName({ gpu, version }));
    for (const folder of [engine(false, engineVersion), engine(false, '99.0.0'), engine(true, '2.20.0')]) {
      await installPackage(join(folder, 'node_modules', '@tensorflow', 'tfjs-node'), { built: true });
      await touch(join(folder, 'engine.json'), '{}');
    }
    const environment = { MEMGEN_CACHE: join(root, 'cache') };
    const places = tensorflowPlaces({ environment, directory: join(root, 'project') });
    const inner = join('node_modules', '@tensorflow', 'tfjs-node');
    expect(places).toEqual([
      { folder: join(modules, 'tfjs-node-gpu'), gpu: true, private: false, outdated: false, built: true },
      { folder: join(modules, 'tfjs-node'), gpu: false, private: false, outdated: false, built: false },
      { folder: join(engine(true, '2.20.0'), inner), gpu: true, private: true, outdated: true, built: true },
      { folder: join(engine(false, engineVersion), inner), gpu: false, private: true, outdated: false, built: true },
    ]);
  });

  it('passes over unfinished engines and those of other platforms', async () => {
    const engines = join(root, 'cache', 'engines');
    await mkdir(join(engines, engineName({ gpu: false, version: '2.20.0' })), { recursive: true });
    const foreign = join(engines, engineName({ gpu: false, version: '2.20.0', platform: 'aix', arch: 'ppc64' }));
    await touch(join(foreign, 'engine.json'), '{}');
    expect(tensorflowPlaces({ environment: { MEMGEN_CACHE: join(root, 'cache') }, directory: root })).toEqual([]);
    expect(tensorflowPlaces({ environment: { MEMGEN_CACHE: join(root, 'none') }, directory: root })).toEqual([]);
  });
});
