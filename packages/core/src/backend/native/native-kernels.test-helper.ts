// The addon as the sources give it, for tests: compiled once for each version of them.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileKernels } from '../install/compile-kernels.js';
import { compilerOf } from '../install/compiler.js';
import { runProcess } from '../install/run-process.js';
import { kernelsPath, loadKernels, processorHasAvx512, type NativeKernels } from './native-kernels.js';

const folder = fileURLToPath(new URL('../../../../../node_modules/.cache/kernels', import.meta.url));

/** Undefined where the processor or the system cannot have it. */
export const builtKernels: NativeKernels | undefined = await build();

async function build(): Promise<NativeKernels | undefined> {
  if (!processorHasAvx512()) return undefined;
  if ((await runProcess(compilerOf(process.env), ['--version'])).code !== 0) return undefined;
  const path = join(folder, basename(kernelsPath()));
  if (!existsSync(path)) await compileKernels(path);
  return loadKernels(path);
}
