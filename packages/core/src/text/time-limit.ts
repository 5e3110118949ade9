// Ends work that runs on and on, such as a regular expression of a file that backtracks without end.
import { createContext, Script } from 'node:vm';

/** Thrown in place of the result. */
export class TimeLimitError extends Error {}

interface Job {
  run: () => unknown;
  result?: unknown;
}

const script = /* @__PURE__ */ new Script('job.result = job.run()');

/**
 * Runs `action` and breaks it off when it takes longer; costs about 0.1 ms. Nothing of `action` is left running, but what
 * it had changed by then stays changed.
 *
 * @throws TimeLimitError, or what `action` throws.
 */
export function withTimeLimit<Result>(milliseconds: number, action: () => Result): Result {
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
