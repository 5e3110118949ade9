// Compiles the addon of tfjs-node against libtensorflow: one call of the C++ compiler, no node-gyp.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCompiler } from './compiler.js';
import { nodeApi, nodeHeadersFolder } from './node-api.js';
import { signalGuard, signalGuardFile } from './signal-guard.js';

export interface CompileOptions {
  /** The tfjs-node package, with `deps/lib` and `deps/include` in place. */
  packageFolder: string;
  platform?: NodeJS.Platform;
  environment?: NodeJS.ProcessEnv;
}

/**
 * Writes `lib/napi-v8/tfjs_binding.node`. The addon finds its libraries by a path relative to itself and uses Node-API
 * only, so the folder may be moved and used by every Node from 20 on. Throws `MemGenError` (`backend-compiler`).
 */
export async function compileAddon(options: CompileOptions): Promise<void> {
  const { packageFolder, environment = process.env } = options;
  await mkdir(join(packageFolder, 'lib', `napi-v${nodeApi}`), { recursive: true });
  await writeFile(join(packageFolder, signalGuardFile), signalGuard);
  const sources = (await readdir(join(packageFolder, 'binding'))).filter((name) => name.endsWith('.cc'));
  await runCompiler(compilerArguments({ ...options, sources }), {
    what: 'the addon of tfjs-node',
    cwd: packageFolder,
    environment,
    platform: options.platform,
  });
}

/** Command line of the compiler; paths are relative to the package folder where they can be. */
export function compilerArguments({
  sources,
  platform = process.platform,
}: Pick<CompileOptions, 'platform'> & { sources: readonly string[] }): string[] {
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
    `-I${nodeHeadersFolder()}`,
    '-include',
    signalGuardFile,
    ...sources.map((name) => join('binding', name)),
    '-o',
    join('lib', `napi-v${nodeApi}`, 'tfjs_binding.node'),
    ...libraries,
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/../../deps/lib`,
  ];
}
