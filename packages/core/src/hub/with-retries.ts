// Tries again what failed for a reason that passes.
import { setTimeout as sleep } from 'node:timers/promises';
import { MemGenError } from '@memgen/common';
import { ComeBackError } from './hub-error.js';

export interface RetryOptions {
  /** Tries in a row without progress before it is given up. @default 5 */
  tries?: number | undefined;
  /** Wait before the second try; doubles with each. @default 1000 */
  retryDelayMilliseconds?: number | undefined;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/** The longest wait that a server can ask for; limits of the hub count in windows of five minutes. */
const longestWait = 5 * 60_000;

/** Codes of errors after which another try makes sense. */
const passing = new Set(['hub-network', 'hub-timeout', 'hub-server', 'hub-rate-limit', 'hub-length']);

/**
 * @param progress - a number that grows while something is achieved; the count of tries then starts anew.
 * @throws the error of the last try.
 */
export async function withRetries<T>(
  action: () => Promise<T>,
  {
    tries = 5,
    retryDelayMilliseconds = 1000,
    signal,
    progress = () => 0,
  }: RetryOptions & { progress?: () => number } = {},
): Promise<T> {
  for (let failures = 0; ;) {
    const before = progress();
    try {
      return await action();
    } catch (error) {
      failures = progress() > before ? 1 : failures + 1;
      if (failures >= tries || !MemGenError.isInstance(error) || !passing.has(error.code)) throw error;
      const asked = error instanceof ComeBackError ? error.waitMilliseconds : 0;
      // Nobody looks at a program that says nothing for longer; the error tells how long it would be.
      if (asked > longestWait) throw error;
      await sleep(Math.max(asked, retryDelayMilliseconds * 2 ** (failures - 1)), undefined, { signal });
    }
  }
}
