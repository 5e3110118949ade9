// Starts the WebAssembly backend: the default that needs no download and no compiler.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { StartedEngine } from '../backend-info.js';
import { registerWasmKernels } from '../kernels/wasm/register.js';
import { checkEngine } from './check-engine.js';

export async function startWasm(): Promise<StartedEngine> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (tf.findBackend('wasm') === null) {
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(dirname(entry) + sep);
  }
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly module did not initialise');
  registerWasmKernels();
  await checkEngine();
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { device: 'cpu', version: `${wasm.version_wasm}${simd === true ? ' (SIMD)' : ''}`, threads: 1 };
}
