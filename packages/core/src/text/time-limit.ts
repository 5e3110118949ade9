// Ends work that runs on and on, such as a regular expression of a file that backtracks without end.
import { createContext, Script } from 'node:vm';

/** Thrown in place of the result. */
export class TimeLimitError extends Error {}

interface Job {
  run: () => unknown;
  result?: unknown;
}

const script = /* @__PURE__ */ new Script('job.result = job.run()');

export interface TimeLimitOptions {
  /**
   * On a busy machine a process may wait for longer than it works. If it hardly came to work in its time, `action` is run
   * again with a limit so many times as long; it must then give the same when run twice. @default 0, never
   */
  patience?: number;
  /** Milliseconds that the process has worked so far. */
  processorTime?: () => number;
}

/**
 * Runs `action` and breaks it off when it takes longer; costs about 0.1 ms. Nothing of `action` is left running, but what
 * it had changed by then stays changed.
 *
 * @throws TimeLimitError, or what `action` throws.
 */
export function withTimeLimit<Result>(
  milliseconds: number,
  action: () => Result,
  { patience = 0, processorTime = ownProcessorTime }: TimeLimitOptions = {},
): Result {
  const before = processorTime();
  try {
    return interruptAfter(milliseconds, action);
  } catch (error) {
    const hasWorked = processorTime() - before > 0.5 * milliseconds;
    if (!(error instanceof TimeLimitError) || hasWorked || patience === 0) throw error;
    return interruptAfter(patience * milliseconds, action);
  }
}

function ownProcessorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function interruptAfter<Result>(milliseconds: number, action: () => Result): Result {
  // The context holds no globals of ours; it only lets the engine interrupt what is called from it.
  const job: Job = { run: action };
  try {
    script.runInContext(createContext({ job }), { timeout: Math.ceil(milliseconds) });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new TimeLimitError(`it takes more than ${milliseconds} ms`, { cause: error });
  }
  return job.result as Result;
}

function isTimeout(error: unknown): boolean {
  // Made in the other context, so no instance of our Error.
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
