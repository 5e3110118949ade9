// Finds CPython in the optional package `pyodide` and compiles it once for all threads.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MemGenError } from '@memgen/common';
import { webAssembly } from './web-assembly.js';

export interface PythonRuntime {
  /** Address of the package's module. */
  pyodide: string;
  /** Path of the package, with a slash at its end. */
  folder: string;
  module: WebAssembly.Module;
}

let compiled: Promise<PythonRuntime> | undefined;

/** @throws MemGenError `sandbox-missing`. */
export function compileRuntime(): Promise<PythonRuntime> {
  compiled ??= load().catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

async function load(): Promise<PythonRuntime> {
  const require = createRequire(import.meta.url);
  let paths: { entry: string; wasm: string };
  try {
    paths = { entry: require.resolve('pyodide/pyodide.mjs'), wasm: require.resolve('pyodide/pyodide.asm.wasm') };
  } catch (error) {
    throw new MemGenError({
      code: 'sandbox-missing',
      message: 'the Python sandbox needs the package pyodide, which is not installed',
      hint: 'npm install pyodide@314',
      cause: error,
    });
  }
  return {
    pyodide: pathToFileURL(paths.entry).href,
    folder: join(dirname(paths.entry), '/'),
    module: await webAssembly.compile(await readFile(paths.wasm)),
  };
}
