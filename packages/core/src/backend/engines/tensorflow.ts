// Starts tfjs-node or tfjs-node-gpu: TensorFlow's C library, the fastest engine on a CPU.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { StartedEngine } from '../backend-info.js';
import { registerTensorflowKernels } from '../kernels/tensorflow/register.js';
import { checkEngine } from './check-engine.js';
import { tensorflowPlaces } from './tensorflow-places.js';
import { linkTfjs, shareTfjs } from './tfjs-link.js';

const require = createRequire(import.meta.url);

/**
 * Loads the first tfjs-node that works, or goes on with the one that this process has loaded: there can be only one.
 * `threads` limits one operation and must be known before the library is loaded. With `gpu` only a build for GPUs that
 * finds one will do. Throws with the reason when none works.
 */
export async function startTensorflow({
  environment,
  threads,
  gpu = false,
}: {
  environment: NodeJS.ProcessEnv;
  threads?: number;
  gpu?: boolean;
}): Promise<StartedEngine> {
  if (tf.findBackend('tensorflow') === null) load({ environment, threads, gpu });
  if (gpu) requireGpu(tf.findBackend('tensorflow'));
  if (!(await tf.setBackend('tensorflow'))) throw new Error('tfjs-node was loaded but did not initialise');
  registerTensorflowKernels();
  await checkEngine();
  return describe(tf.backend());
}

function load({
  environment,
  threads,
  gpu,
}: {
  environment: NodeJS.ProcessEnv;
  threads: number | undefined;
  gpu: boolean;
}): void {
  const found = tensorflowPlaces({ environment });
  if (found.length === 0) throw new Error(`no @tensorflow/tfjs-node${gpu ? '-gpu' : ''} is installed`);
  const places = found.filter((place) => place.gpu || !gpu);
  if (places.length === 0) throw new Error('only the CPU build of TensorFlow is installed');
  const problems: string[] = [];
  // libtensorflow reads the process's own environment when it is loaded.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  addRemovedNodeFunctions();
  for (const place of places) {
    if (place.outdated || !place.built) {
      problems.push(`${place.folder} ${place.outdated ? 'is of another version of memgen' : 'has no native addon'}`);
      continue;
    }
    try {
      if (place.private) linkTfjs();
      else shareTfjs(createRequire(join(place.folder, 'package.json')));
      require(place.folder);
      return;
    } catch (error) {
      problems.push(`${place.folder} does not load: ${error instanceof Error ? error.message.trim() : String(error)}`);
    }
  }
  throw new Error(problems.join('; '));
}

/** tfjs-node 4.22 calls two functions of `node:util` that Node 23 removed. */
function addRemovedNodeFunctions(): void {
  const util = require('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}

function requireGpu(backend: object | null): void {
  if (backend !== null && usesGpu(backend)) return;
  throw new Error(
    'the TensorFlow library of this process computes on the processor: it is a CPU build or finds no GPU',
  );
}

function usesGpu(backend: object): boolean {
  return 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;
}

function describe(backend: object): StartedEngine {
  const binding = 'binding' in backend ? backend.binding : undefined;
  const library =
    typeof binding === 'object' && binding !== null && 'TF_Version' in binding ? String(binding.TF_Version) : 'unknown';
  const threads = Number(process.env['TF_NUM_INTRAOP_THREADS']) || availableParallelism();
  return {
    device: usesGpu(backend) ? 'gpu' : 'cpu',
    version: `${tf.version.tfjs} on libtensorflow ${library}`,
    threads,
  };
}
