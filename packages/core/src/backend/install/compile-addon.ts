// Compiles the addon of tfjs-node against libtensorflow: one call of the C++ compiler, no node-gyp.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { complaint, nodeApi } from './engine-package.js';
import { runProcess } from './run-process.js';
import { signalGuard, signalGuardFile } from './signal-guard.js';

export interface CompileOptions {
  /** The tfjs-node package, with `deps/lib` and `deps/include` in place. */
  packageFolder: string;
  headersFolder: string;
  platform?: NodeJS.Platform;
  environment?: NodeJS.ProcessEnv;
}

/**
 * Writes `lib/napi-v8/tfjs_binding.node`. The addon finds its libraries by a path relative to itself and uses Node-API
 * only, so the folder may be moved and used by every Node from 20 on. Throws `MemGenError` (`backend-compiler`).
 */
export async function compileAddon(options: CompileOptions): Promise<void> {
  const { packageFolder, environment = process.env } = options;
  const compiler = compilerOf(environment);
  await mkdir(join(packageFolder, 'lib', `napi-v${nodeApi}`), { recursive: true });
  await writeFile(join(packageFolder, signalGuardFile), signalGuard);
  const sources = (await readdir(join(packageFolder, 'binding'))).filter((name) => name.endsWith('.cc'));
  const result = await runProcess(compiler, compilerArguments({ ...options, sources }), {
    cwd: packageFolder,
    environment,
  });
  if (result.code === 0) return;
  throw new MemGenError({
    code: 'backend-compiler',
    message: result.found ? `${compiler} failed on the addon of tfjs-node` : `there is no C++ compiler \`${compiler}\``,
    got: result.found ? complaint(result.stderr) : undefined,
    expected: 'a C++17 compiler (g++ or clang++)',
    hint: installHint(options.platform),
  });
}

/** `CXX`, else the system's C++ compiler. */
export function compilerOf(environment: NodeJS.ProcessEnv): string {
  const named = environment['CXX'];
  return named === undefined || named === '' ? 'c++' : named;
}

/** Fails early, before anything is downloaded, when there is no compiler. */
export async function requireCompiler(environment: NodeJS.ProcessEnv, platform?: NodeJS.Platform): Promise<void> {
  const compiler = compilerOf(environment);
  const result = await runProcess(compiler, ['--version'], { environment });
  if (result.code === 0) return;
  throw new MemGenError({
    code: 'backend-compiler',
    message: `the C++ compiler \`${compiler}\` does not run`,
    got: result.found ? complaint(result.stderr) : 'no such program',
    expected: 'a C++17 compiler (g++ or clang++); another one can be named in CXX',
    hint: installHint(platform),
  });
}

/** Command line of the compiler; paths are relative to the package folder where they can be. */
export function compilerArguments({
  headersFolder,
  sources,
  platform = process.platform,
}: Pick<CompileOptions, 'headersFolder' | 'platform'> & { sources: readonly string[] }): string[] {
  const mac = platform === 'darwin';
  const libraries = ['cc', 'framework'].map((part) =>
    join('deps', 'lib', mac ? `libtensorflow_${part}.2.dylib` : `libtensorflow_${part}.so.2`),
  );
  return [
    '-O2',
    '-std=c++17',
    '-fPIC',
    ...(mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
    `-DNAPI_VERSION=${nodeApi}`,
    `-I${join('deps', 'include')}`,
    `-I${headersFolder}`,
    '-include',
    signalGuardFile,
    ...sources.map((name) => join('binding', name)),
    '-o',
    join('lib', `napi-v${nodeApi}`, 'tfjs_binding.node'),
    ...libraries,
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/../../deps/lib`,
  ];
}

function installHint(platform: NodeJS.Platform = process.platform): string {
  return platform === 'darwin'
    ? 'run `xcode-select --install`'
    : 'run `sudo apt-get install g++` (Debian, Ubuntu) or `sudo dnf install gcc-c++` (Fedora)';
}
