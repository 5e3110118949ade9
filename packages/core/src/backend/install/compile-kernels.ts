// Compiles the step decoder's addon: one call of the C++ compiler, nothing is downloaded.
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import { kernelsSource } from '../native/native-kernels.js';
import { runCompiler } from './compiler.js';
import { complaint } from './engine-package.js';
import { nodeApi, nodeHeadersFolder } from './node-api.js';
import { runProcess } from './run-process.js';

/** Loads the addon and multiplies `[3 4]` with `[[1], [2]]`. */
const script = `
const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
const numbers = new Float32Array(memory.buffer);
const [x, weights, y] = [16, 32, 64];
numbers.set([3, 4], x);
numbers[weights] = 1;
numbers[weights + 16] = 2;
require(process.argv[1])(new Uint8Array(memory.buffer)).multiply(1, 4 * x, 1, 2, 4 * weights, 0, 1, 4 * y, 0, 0, 1);
if (numbers[y] !== 11) throw new Error('[3 4] x [1 2] gave ' + numbers[y] + ' instead of 11');
`;

/**
 * Writes the addon, after a process of its own has computed with it.
 * @param path - of the file that is made, with the folders above it.
 * @throws MemGenError `backend-compiler`, `backend-check`, or that of a file that cannot be written.
 */
export async function compileKernels(path: string, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folder = dirname(path);
  let aside: string | undefined;
  try {
    await mkdir(folder, { recursive: true });
    aside = await mkdtemp(join(folder, '.installing-'));
    const addon = join(aside, 'kernels.node');
    const options = ['-O3', '-std=c++17', '-fPIC', '-shared', '-w', `-DNAPI_VERSION=${nodeApi}`];
    await runCompiler([...options, `-I${nodeHeadersFolder()}`, kernelsSource(), '-o', addon], {
      what: 'the kernels of the step decoder',
      environment,
    });
    await check(addon, environment);
    await chmod(addon, 0o755);
    await rename(addon, path);
  } catch (error) {
    throw toFileError(error, 'compile the kernels', folder);
  } finally {
    if (aside !== undefined) await rm(aside, { recursive: true, force: true });
  }
}

async function check(addon: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const result = await runProcess(process.execPath, ['-e', script, addon], { environment, timeout: 60_000 });
  if (result.code === 0) return;
  throw new MemGenError({
    code: 'backend-check',
    message: 'the kernels were compiled but do not compute on this machine',
    got: result.signal === null ? complaint(result.stderr) : `the process was ended by ${result.signal}`,
    expected: 'Linux on x64 with AVX-512',
    hint: 'go on without them: those in WebAssembly need nothing',
  });
}
