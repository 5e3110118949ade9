// Where a tfjs-node may be found: the user's project, this package's own place, the engines in the user's cache.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { engineVersion } from './engine-version.js';

/** Folder name of a privately installed engine. */
export function engineName({
  gpu,
  version,
  platform = process.platform,
  arch = process.arch,
}: {
  gpu: boolean;
  version: string;
  platform?: NodeJS.Platform;
  arch?: string;
}): string {
  return `tensorflow-${version}-${platform}-${arch}-${gpu ? 'gpu' : 'cpu'}`;
}

/** A tfjs-node or tfjs-node-gpu package on this machine. */
export interface TensorflowPlace {
  /** The package folder. */
  folder: string;
  /** Made for GPUs; it computes on the processor where it finds none. */
  gpu: boolean;
  /** Installed by `memgen backend install`. */
  private: boolean;
  /** A private one that another version of this package has built: it is not used. */
  outdated: boolean;
  /** Whether its native addon was built. */
  built: boolean;
}

/** All places in the order in which they are tried: GPU before CPU, the project's own before the private ones. */
export function tensorflowPlaces({
  environment = process.env,
  directory = process.cwd(),
}: { environment?: NodeJS.ProcessEnv; directory?: string } = {}): TensorflowPlace[] {
  const installed: TensorflowPlace[] = [];
  for (const gpu of [true, false]) {
    const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
    for (const start of [join(directory, 'noop.js'), import.meta.url]) {
      const folder = packageFolder(name, start);
      if (folder === undefined || installed.some((place) => place.folder === folder)) continue;
      installed.push({ folder, gpu, private: false, outdated: false, built: hasAddon(folder) });
    }
  }
  return [...installed, ...privatePlaces(environment)];
}

function privatePlaces(environment: NodeJS.ProcessEnv): TensorflowPlace[] {
  const engines = join(cacheFolder({ environment }), 'engines');
  const names = existsSync(engines) ? readdirSync(engines).sort().reverse() : [];
  const places: TensorflowPlace[] = [];
  for (const gpu of [true, false]) {
    const kind = gpu ? 'gpu' : 'cpu';
    const pattern = new RegExp(`^tensorflow-[0-9.]+-${process.platform}-${process.arch}-${kind}$`);
    const complete = names.filter((name) => pattern.test(name) && existsSync(join(engines, name, 'engine.json')));
    const current = engineName({ gpu, version: engineVersion });
    const name = complete.find((candidate) => candidate === current) ?? complete[0];
    if (name === undefined) continue;
    const folder = join(engines, name, 'node_modules', '@tensorflow', 'tfjs-node');
    places.push({ folder, gpu, private: true, outdated: name !== current, built: hasAddon(folder) });
  }
  return places;
}

function packageFolder(name: string, start: string): string | undefined {
  try {
    return dirname(createRequire(start).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function hasAddon(folder: string): boolean {
  const library = join(folder, 'lib');
  if (!existsSync(library)) return false;
  return readdirSync(library).some((version) => existsSync(join(library, version, 'tfjs_binding.node')));
}
