// Where the addon is looked for, and what is not used.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { compileKernels } from '../install/compile-kernels.js';
import { builtKernels } from './native-kernels.test-helper.js';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'memgen-native-'));
  vi.stubEnv('MEMGEN_CACHE', cache);
  vi.stubEnv('MEMGEN_NATIVE_KERNELS', '');
  vi.resetModules();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

it('is looked for among the engines, by the hash of its source', async () => {
  const { kernelsPath, nativeKernels } = await import('./native-kernels.js');
  expect(dirname(kernelsPath())).toBe(join(cache, 'engines'));
  expect(kernelsPath()).toMatch(/kernels-[0-9a-f]{12}-/);
  expect(nativeKernels()).toBeUndefined();
});

it('is not used when it does not load', async () => {
  const { kernelsPath, nativeKernels } = await import('./native-kernels.js');
  await mkdir(dirname(kernelsPath()));
  await writeFile(kernelsPath(), 'no addon');
  expect(nativeKernels()).toBeUndefined();
});

const unavailable = builtKernels === undefined;

it.skipIf(unavailable)('is used once it was compiled, unless the environment says no', async () => {
  const { kernelsPath, nativeKernels } = await import('./native-kernels.js');
  await compileKernels(kernelsPath());
  expect(nativeKernels()?.path).toBe(kernelsPath());
  vi.stubEnv('MEMGEN_NATIVE_KERNELS', '0');
  expect(nativeKernels()).toBeUndefined();
});

it('is not left half made by a compiler that fails', async () => {
  const { kernelsPath, nativeKernels } = await import('./native-kernels.js');
  const environment = { ...process.env, CXX: 'no-such-compiler' };
  await expect(compileKernels(kernelsPath(), environment)).rejects.toMatchObject({
    code: 'backend-compiler',
    message: expect.stringContaining('no-such-compiler'),
  });
  expect(nativeKernels()).toBeUndefined();
});
