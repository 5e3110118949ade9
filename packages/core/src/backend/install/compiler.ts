// The system's C++ compiler.
import { MemGenError } from '@memgen/common';
import { complaint } from './engine-package.js';
import { runProcess } from './run-process.js';

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

export interface CompileRun {
  /** What is compiled, for the error message. */
  what: string;
  environment: NodeJS.ProcessEnv;
  cwd?: string;
  platform?: NodeJS.Platform | undefined;
}

/** Runs the compiler. Throws `MemGenError` (`backend-compiler`). */
export async function runCompiler(
  parameters: readonly string[],
  { what, environment, cwd, platform }: CompileRun,
): Promise<void> {
  const compiler = compilerOf(environment);
  const result = await runProcess(compiler, parameters, { cwd, environment });
  if (result.code === 0) return;
  throw new MemGenError({
    code: 'backend-compiler',
    message: result.found ? `${compiler} failed on ${what}` : `there is no C++ compiler \`${compiler}\``,
    got: result.found ? complaint(result.stderr) : undefined,
    expected: 'a C++17 compiler (g++ or clang++)',
    hint: installHint(platform),
  });
}

function installHint(platform: NodeJS.Platform = process.platform): string {
  return platform === 'darwin'
    ? 'run `xcode-select --install`'
    : 'run `sudo apt-get install g++` (Debian, Ubuntu) or `sudo dnf install gcc-c++` (Fedora)';
}
