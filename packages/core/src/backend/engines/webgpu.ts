// Starts WebGPU from Node: Dawn (npm package `webgpu`) under the tfjs WebGPU backend, both installed by the user.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import type { StartedEngine } from '../backend-info.js';
import { registerWebgpuKernels } from '../kernels/webgpu/register.js';
import { checkEngine } from './check-engine.js';
import { resolvePeer } from './resolve-peer.js';
import { shareTfjs } from './tfjs-link.js';
import { refuseSynchronousReads } from './webgpu-reads.js';

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

/** What was found out about an engine when it was started for the first time. */
const descriptions = new WeakMap<object, StartedEngine>();

/**
 * Throws when a package is missing, no adapter answers, or only a software one does; the variable
 * `MEMGEN_WEBGPU_SOFTWARE=1` takes that too, for tests of correctness.
 */
export async function startWebgpu({ environment }: { environment: NodeJS.ProcessEnv }): Promise<StartedEngine> {
  const name = tf.findBackend('webgpu') === null ? await load(environment) : '';
  if (!(await tf.setBackend('webgpu'))) throw new Error(`the WebGPU backend did not initialise on ${name}`);
  const engine = tf.backend();
  const known = descriptions.get(engine);
  if (known !== undefined) return known;
  refuseSynchronousReads(engine);
  registerWebgpuKernels();
  await checkEngine();
  const started: StartedEngine = {
    device: software.test(name) ? 'cpu' : 'gpu',
    version: `${tf.version.tfjs} on ${name}`,
  };
  descriptions.set(engine, started);
  return started;
}

/** Makes `navigator.gpu`, imports the tfjs backend, which registers itself there, and returns the adapter's name. */
async function load(environment: NodeJS.ProcessEnv): Promise<string> {
  const dawn: unknown = await import(pathToFileURL(resolvePeer('webgpu').path).href);
  if (!isDawn(dawn)) throw new Error('the package webgpu does not export `create` and `globals`');
  const backend = resolvePeer('@tensorflow/tfjs-backend-webgpu');
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('no graphics adapter answers');
  const { vendor = '', architecture = '', description = '' } = adapter.info ?? {};
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ') || 'unnamed adapter';
  if (software.test(name) && environment['MEMGEN_WEBGPU_SOFTWARE'] !== '1') {
    throw new Error(`the only graphics adapter is a software one (${name}); MEMGEN_WEBGPU_SOFTWARE=1 takes it`);
  }
  Object.assign(globalThis, dawn.globals);
  // Node has a `navigator` from version 21 on; tfjs looks for `navigator.gpu`.
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(Reflect.get(globalThis, 'navigator'), 'gpu', { value: gpu, configurable: true });
  shareTfjs(createRequire(backend.path));
  // Not imported: what `shareTfjs` puts in place is seen by `require` alone.
  backend.require(backend.path);
  return name;
}

function isDawn(module: unknown): module is Dawn {
  return (
    typeof module === 'object' &&
    module !== null &&
    'create' in module &&
    typeof module.create === 'function' &&
    'globals' in module &&
    typeof module.globals === 'object'
  );
}
