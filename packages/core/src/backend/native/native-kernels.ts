// The addon that computes in vectors of 512 bits for the step decoder: where it lies, and how it is loaded.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import type { NativeFunctions, WasmMemory } from '../web-assembly.js';

const require = createRequire(import.meta.url);

/** The addon, ready for use. */
export interface NativeKernels {
  /** The file; threads load it for themselves. */
  path: string;
  /** Its functions for addresses in a memory. Weights that are written to it afterwards lie in large pages. */
  over(memory: WasmMemory): NativeFunctions;
}

/** What the addon exports. */
type Over = (bytes: Uint8Array) => NativeFunctions;

/** Folder of the addon's C++ sources, which come with this package. */
function sources(): string {
  return join(dirname(require.resolve('@memgen/core/package.json')), 'native');
}

/** The source that is compiled; it includes the others. */
export function kernelsSource(): string {
  return join(sources(), 'kernels.cc');
}

/** Where `memgen backend install` puts the addon: other sources have another name. */
export function kernelsPath(environment: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(sources()).sort()) hash.update(readFileSync(join(sources(), file)));
  const name = `kernels-${hash.digest('hex').slice(0, 12)}-${process.platform}-${process.arch}.node`;
  return join(cacheFolder({ environment }), 'engines', name);
}

/** Whether the addon is written for this processor: Linux on x64 with AVX-512. */
export function processorHasAvx512(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  try {
    return /^flags\s*:.*\bavx512f\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'));
  } catch {
    // A container may hide it.
    return false;
  }
}

/** Loads an addon. @throws Error where it is none. */
export function loadKernels(path: string): NativeKernels {
  const over = require(path) as Over;
  return {
    path,
    over: (memory) => over(new Uint8Array(memory.buffer)),
  };
}

/** Whether the user does without the addon, by MEMGEN_NATIVE_KERNELS=0. */
export function kernelsAreOff(): boolean {
  return process.env['MEMGEN_NATIVE_KERNELS'] === '0';
}

let found: { kernels: NativeKernels | undefined } | undefined;

/**
 * The addon, if it is installed, loads, is not turned off, and this processor can use it.
 */
export function nativeKernels(): NativeKernels | undefined {
  if (kernelsAreOff()) return undefined;
  return (found ??= { kernels: find() }).kernels;
}

function find(): NativeKernels | undefined {
  try {
    const path = kernelsPath();
    return existsSync(path) && processorHasAvx512() ? loadKernels(path) : undefined;
  } catch {
    // A program in one file has no source beside it; a file that does not load is as good as none.
    return undefined;
  }
}
