// What becomes of the command when nobody reads what it writes any more, as after `memgen generate ... | head`.
import type { EventEmitter } from 'node:events';

/** 128 + 13: what shells report of a program that ended by SIGPIPE. */
export const closedPipeCode = 141;

/**
 * Node ignores SIGPIPE, so that writing to a closed pipe becomes an `error` event of the stream (`EPIPE`) and, unheard, a
 * stack on the terminal. From now on it ends the process quietly, as it ends any other program. Other errors are thrown.
 */
export function endWithReader(
  stream: EventEmitter,
  exit: (code: number) => void = (code) => {
    process.exit(code);
  },
): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    exit(closedPipeCode);
  });
}
