// One thread with a Python in it: started, given one program at a time, ended.
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MemGenError } from '@memgen/common';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './worker-types.js';

export interface WorkerHandle {
  /** Gives one program; its reply, or undefined if the thread ended before. */
  ask(request: WorkerRequest): Promise<Extract<WorkerReply, { id: number }> | undefined>;
  /** Ends the thread, whatever it is doing. */
  end(): Promise<void>;
}

/**
 * Resolves once the thread can take a program; an idle thread does not keep the process alive.
 *
 * @throws MemGenError `sandbox-start`.
 */
export async function startWorker(settings: WorkerSettings): Promise<WorkerHandle> {
  const worker = new Worker(...workerArguments(settings));
  let settle: (reply: WorkerReply | Error | undefined) => void = () => undefined;
  const next = () => new Promise<WorkerReply | Error | undefined>((resolve) => (settle = resolve));
  const first = next();
  let ended = false;
  worker.on('message', (reply: WorkerReply) => {
    settle(reply);
  });
  worker.on('error', (error: Error) => {
    settle(error);
  });
  worker.on('exit', () => {
    ended = true;
    settle(undefined);
  });
  // Nothing that is printed in there reaches the host.
  worker.stdout.resume();
  worker.stderr.resume();

  const reply = await first;
  if (reply === undefined || reply instanceof Error || reply.kind !== 'ready') {
    throw new MemGenError({
      code: 'sandbox-start',
      message: 'Python could not be started in a thread',
      got: reply instanceof Error ? reply.message : 'the thread ended',
      hint: 'check that there is memory left (about 250 MB a thread), and the version of the package pyodide',
      cause: reply instanceof Error ? reply : undefined,
    });
  }
  worker.unref();
  return {
    async ask(request) {
      if (ended) return undefined;
      worker.ref();
      const answer = next();
      worker.postMessage(request);
      const received = await answer;
      worker.unref();
      if (received === undefined || received instanceof Error || received.kind === 'ready') return undefined;
      return received.id === request.id ? received : undefined;
    },
    async end() {
      await worker.terminate();
    },
  };
}

function workerArguments(settings: WorkerSettings): ConstructorParameters<typeof Worker> {
  const extension = extname(fileURLToPath(import.meta.url));
  const options = {
    workerData: settings,
    env: {},
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    // Python's own memory is limited elsewhere; this bounds what lies around it.
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
  };
  const entry = new URL(`./python-worker${extension}`, import.meta.url);
  if (extension !== '.ts') return [entry, options];
  // From sources, as in tests, the thread first learns to read TypeScript.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const reader = new URL('dist/esm/api/index.mjs', tsx).href;
  const program = `import(${JSON.stringify(reader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); });`;
  return [program, { ...options, eval: true }];
}
