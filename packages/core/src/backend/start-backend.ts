// Picks and starts the tfjs backend that this process computes with.
import type { Logger } from '@memgen/common';
import { MemGenError, silentLogger } from '@memgen/common';
import type { BackendInfo, BackendName, FailedBackend, StartedEngine } from './backend-info.js';
import { backendNames, isBackendName } from './backend-info.js';
import { startCpu } from './engines/cpu.js';
import { startTensorflow } from './engines/tensorflow.js';
import { startWasm } from './engines/wasm.js';
import { startWebgpu } from './engines/webgpu.js';
import { quietly } from './quiet.js';

export interface StartBackendOptions {
  /** A backend by name, or `'auto'` for the first of tensorflow-gpu, tensorflow, webgpu, wasm, cpu that starts. */
  backend?: BackendName | 'auto';
  logger?: Logger;
  /** Where `MEMGEN_BACKEND`, the default for `'auto'`, and `MEMGEN_CACHE` are read from. */
  environment?: NodeJS.ProcessEnv;
  /** Threads of one operation; tensorflow only, from its first start in a process on. Default: all cores. */
  threads?: number;
}

type Starter = (options: {
  environment: NodeJS.ProcessEnv;
  threads?: number;
  logger: Logger;
}) => Promise<StartedEngine>;

const starters: Record<BackendName, Starter> = {
  'tensorflow-gpu': (options) => startTensorflow({ ...options, gpu: true }),
  tensorflow: startTensorflow,
  webgpu: startWebgpu,
  wasm: startWasm,
  cpu: startCpu,
};

/** What helps when a backend does not start: one line each. */
export const remedies: Record<BackendName, string> = {
  'tensorflow-gpu':
    'run `npx memgen backend install --gpu` on Linux x64 with an NVIDIA driver, then `npx memgen doctor`',
  tensorflow: 'run `npx memgen backend install`, then `npx memgen doctor`',
  webgpu: 'run `npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0` on a machine with a GPU driver',
  wasm: 'run `npm install @tensorflow/tfjs-backend-wasm@4.22.0`',
  cpu: 'reinstall @tensorflow/tfjs: this backend is part of it',
};

/**
 * Starts a backend, makes it the current one of tfjs and says which it is. Nothing of tfjs may be computed before.
 * Throws `MemGenError` (`backend-name`, `backend-start`) when the name is unknown or the backend cannot start.
 */
export async function startBackend({
  backend = 'auto',
  logger = silentLogger,
  environment = process.env,
  threads,
}: StartBackendOptions = {}): Promise<BackendInfo> {
  const wanted = backend === 'auto' ? fromEnvironment(environment) : checkName(backend, 'option `backend`');
  const candidates = wanted === 'auto' ? backendNames : [wanted];
  const tried: FailedBackend[] = [];
  let cause: unknown;
  for (const name of candidates) {
    try {
      const engine = await quietly(() => starters[name]({ environment, threads, logger }));
      const info = { name, ...engine, reason: reasonFor(backend, wanted, tried), tried };
      logger.debug(`backend ${name} ${engine.version}: ${info.reason}`);
      return info;
    } catch (error) {
      cause = error;
      tried.push({ name, problem: error instanceof Error ? error.message : String(error) });
      logger.debug(`backend ${name} did not start: ${tried.at(-1)!.problem}`);
    }
  }
  throw new MemGenError({
    code: 'backend-start',
    message: wanted === 'auto' ? 'no backend starts' : `the ${wanted} backend does not start`,
    got: tried.map(({ name, problem }) => (wanted === 'auto' ? `${name}: ${problem}` : problem)).join('; '),
    hint: remedies[candidates.at(-1)!],
    cause,
  });
}

function fromEnvironment(environment: NodeJS.ProcessEnv): BackendName | 'auto' {
  const text = environment['MEMGEN_BACKEND'];
  return text === undefined || text === '' ? 'auto' : checkName(text, 'environment variable MEMGEN_BACKEND');
}

function checkName(text: string, where: string): BackendName | 'auto' {
  if (text === 'auto' || isBackendName(text)) return text;
  throw new MemGenError({
    code: 'backend-name',
    where,
    message: 'unknown backend',
    got: text,
    expected: ['auto', ...backendNames].join(', '),
  });
}

function reasonFor(
  backend: BackendName | 'auto',
  wanted: BackendName | 'auto',
  tried: readonly FailedBackend[],
): string {
  if (backend !== 'auto') return 'it was asked for';
  if (wanted !== 'auto') return 'MEMGEN_BACKEND asks for it';
  if (tried.length === 0) return 'it is the fastest and it works here';
  const last = tried.at(-1)!.name;
  const others = tried.slice(0, -1).map(({ name }) => name);
  if (others.length === 0) return `it is the first that works here (${last} does not)`;
  return `it is the first that works here (${others.join(', ')} and ${last} do not)`;
}
