// Starts WebGPU from Node: Dawn (npm package `webgpu`) under the tfjs WebGPU backend, both installed by the user.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import type { StartedEngine } from '../backend-info.js';
import { checkEngine } from './check-engine.js';
import { shareTfjs } from './tfjs-link.js';

/** The part of the WebGPU standard that is used here. */
interface Adapter {
  readonly info?: { readonly vendor?: string; readonly architecture?: string; readonly description?: string };
}

/** What the package `webgpu` exports. */
interface Dawn {
  create(options: string[]): { requestAdapter(): Promise<Adapter | null> };
  globals: object;
}

/** Adapters that compute on the processor: correct, but slower than wasm. */
const software = /swiftshader|llvmpipe|lavapipe|software/i;

/**
 * Throws when a package is missing, no adapter answers, or only a software one does; the variable
 * `MEMGEN_WEBGPU_SOFTWARE=1` takes that too, for tests of correctness.
 */
export async function startWebgpu({ environment }: { environment: NodeJS.ProcessEnv }): Promise<StartedEngine> {
  const dawn = await importPeer('webgpu');
  if (!isDawn(dawn)) throw new Error('the package webgpu does not export `create` and `globals`');
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('no graphics adapter answers');
  const { vendor = '', architecture = '', description = '' } = adapter.info ?? {};
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ') || 'unnamed adapter';
  if (software.test(name) && environment['MEMGEN_WEBGPU_SOFTWARE'] !== '1') {
    throw new Error(`the only graphics adapter is a software one (${name})`);
  }
  // Node has a `navigator` from version 21 on; tfjs looks for `navigator.gpu`.
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(Reflect.get(globalThis, 'navigator'), 'gpu', { value: gpu, configurable: true });
  await importPeer('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error(`the WebGPU backend did not initialise on ${name}`);
  await checkEngine();
  return { device: software.test(name) ? 'cpu' : 'gpu', version: `${tf.version.tfjs} on ${name}` };
}

/** Imports an optional package from the user's project or from our own place. */
async function importPeer(name: string): Promise<object> {
  for (const start of [join(process.cwd(), 'noop.js'), import.meta.url]) {
    let path: string;
    try {
      path = createRequire(start).resolve(name);
    } catch {
      continue;
    }
    shareTfjs(createRequire(path));
    return (await import(pathToFileURL(path).href)) as object;
  }
  throw new Error(`the package ${name} is not installed`);
}

function isDawn(module: object): module is Dawn {
  return 'create' in module && typeof module.create === 'function' && 'globals' in module;
}
