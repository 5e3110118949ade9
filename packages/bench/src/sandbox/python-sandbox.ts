// Runs Python programs that nobody has read: a pool of threads, each with its own CPython in WebAssembly.
import { MemGenError } from '@memgen/common';
import { compileRuntime } from './python-runtime.js';
import type { PythonProgram, PythonVerdict } from './python-program.js';
import { startWorker, type WorkerHandle } from './python-worker-handle.js';
import { readVerdict } from './read-verdict.js';
import type { WorkerSettings } from './worker-types.js';

export interface PythonSandboxOptions {
  /** Programs run at once, each in a thread of about 250 MB. Default 1. */
  workers?: number;
  /** Time for one program and its tests, in milliseconds. Default 10 000: twice the reference's for KodCode, because
   * Python in WebAssembly is about that much slower. */
  timeLimit?: number;
  /** Bytes that Python may use, of which about 40 MB are its own. Default 512 MiB; at most 2 GiB. */
  memoryLimit?: number;
  /** Bytes that a program may write into files, which lie in memory. Default 32 MiB. */
  fileLimit?: number;
  /** Characters of its output that are kept. Default 10 000. */
  outputLimit?: number;
}

interface Job {
  program: PythonProgram;
  signal: AbortSignal | undefined;
  resolve: (verdict: PythonVerdict) => void;
  reject: (error: unknown) => void;
}

/**
 * Every program starts on an interpreter of its own, as if it had just been started; one that breaks it or does not
 * end is ended with its thread, and another thread takes its place while the others go on.
 *
 * A program sees no file, variable, process or network of the host, and no JavaScript. It is not kept from tampering
 * with the tests that run beside it: a verdict says what happened, not that the program is honest.
 */
export class PythonSandbox {
  private readonly queue: Job[] = [];
  private readonly idle: WorkerHandle[] = [];
  private readonly all = new Set<WorkerHandle>();
  /** Threads there are or that are being started. */
  private count = 0;
  private nextId = 0;
  private isClosed = false;

  private constructor(
    private readonly settings: WorkerSettings,
    private readonly limits: { workers: number; timeLimit: number; outputLimit: number },
  ) {}

  /**
   * Starts the first thread; the others start when they are needed.
   *
   * @throws MemGenError `sandbox-missing` if the optional package `pyodide` is not installed, `sandbox-start`, or
   *   `sandbox-options`.
   */
  static async open({
    workers = 1,
    timeLimit = 10_000,
    memoryLimit = 512 * 2 ** 20,
    fileLimit = 32 * 2 ** 20,
    outputLimit = 10_000,
  }: PythonSandboxOptions = {}): Promise<PythonSandbox> {
    checkWithin('workers', workers, 1, 256);
    checkWithin('timeLimit', timeLimit, 1, 2 ** 31 - 1);
    checkWithin('memoryLimit', memoryLimit, 64 * 2 ** 20, 2 ** 31);
    checkWithin('fileLimit', fileLimit, 0, 2 ** 30);
    checkWithin('outputLimit', outputLimit, 0, 2 ** 24);
    const settings = { ...(await compileRuntime()), memoryLimit, fileLimit };
    const sandbox = new PythonSandbox(settings, { workers, timeLimit, outputLimit });
    sandbox.idle.push(await sandbox.start());
    return sandbox;
  }

  /**
   * Runs one program; waits for a free thread first. A program that fails is a verdict, not an error.
   *
   * @throws the signal's reason if aborted; MemGenError `sandbox-closed` or `sandbox-start`.
   */
  run(program: PythonProgram, { signal }: { signal?: AbortSignal } = {}): Promise<PythonVerdict> {
    if (this.isClosed) return Promise.reject(closed());
    if (signal?.aborted) return Promise.reject(toError(signal.reason));
    return new Promise((resolve, reject) => {
      const abandon = () => {
        const at = this.queue.indexOf(job);
        if (at >= 0) this.queue.splice(at, 1);
        reject(toError(signal?.reason));
      };
      const settled = () => signal?.removeEventListener('abort', abandon);
      const job: Job = {
        program,
        signal,
        resolve: (verdict) => {
          settled();
          resolve(verdict);
        },
        reject: (error) => {
          settled();
          reject(toError(error));
        },
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.queue.push(job);
      this.work();
    });
  }

  /** Ends all threads; programs that wait or run are rejected with `sandbox-closed`. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const job of this.queue.splice(0)) job.reject(closed());
    await Promise.all([...this.all].map((worker) => this.remove(worker)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private work(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop();
      if (worker === undefined) break;
      void this.serve(worker, this.queue.shift()!);
    }
    if (this.queue.length > 0 && this.count < this.limits.workers) {
      this.start().then(
        (worker) => {
          if (this.isClosed) return;
          this.idle.push(worker);
          this.work();
        },
        (error: unknown) => this.queue.shift()?.reject(error),
      );
    }
  }

  private async start(): Promise<WorkerHandle> {
    this.count++;
    try {
      const worker = await startWorker(this.settings);
      this.all.add(worker);
      if (this.isClosed) await this.remove(worker);
      return worker;
    } catch (error) {
      this.count--;
      throw error;
    }
  }

  private async remove(worker: WorkerHandle): Promise<void> {
    if (this.all.delete(worker)) this.count--;
    await worker.end();
  }

  private async serve(worker: WorkerHandle, { program, signal, resolve, reject }: Job): Promise<void> {
    const { timeLimit, outputLimit } = this.limits;
    let stopped = false;
    const stop = () => {
      stopped = true;
      void this.remove(worker);
    };
    const timer = setTimeout(stop, timeLimit);
    signal?.addEventListener('abort', stop, { once: true });
    const reply = await worker.ask({ id: this.nextId++, program: { ...program, outputLimit } });
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);

    if (reply?.kind === 'finished' && !stopped) this.idle.push(worker);
    else await this.remove(worker);
    if (this.isClosed) reject(closed());
    else if (reply !== undefined) resolve(readVerdict(reply, program));
    else if (stopped) resolve(timedOut(timeLimit));
    else resolve(died());
    this.work();
  }
}

function timedOut(timeLimit: number): PythonVerdict {
  return { outcome: 'time-limit', reason: `stopped after ${timeLimit} ms`, tests: [], output: '' };
}

function died(): PythonVerdict {
  return { outcome: 'crashed', reason: 'the thread of the interpreter ended', tests: [], output: '' };
}

function closed(): MemGenError {
  return new MemGenError({ code: 'sandbox-closed', message: 'the Python sandbox has been closed' });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new MemGenError({
    code: 'sandbox-options',
    message: `the option "${name}" of the Python sandbox is not possible`,
    got: String(value),
    expected: `an integer from ${least} to ${most}`,
  });
}
