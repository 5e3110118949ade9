// Stops before something is loaded that does not fit into memory.
import { freemem, totalmem } from 'node:os';
import { MemGenError } from '@memgen/common';
import { readableBytes } from './readable-bytes.js';

export interface CheckMemoryOptions {
  /** What needs the memory: a path or a name, for the error. */
  where?: string;
  /** Bytes that can be had. @default {@link availableMemory} */
  available?: () => number;
}

/** @param needed - bytes. @throws MemGenError `memory` if they are more than there are. */
export function checkMemory(needed: number, { where, available = availableMemory }: CheckMemoryOptions = {}): void {
  const free = available();
  if (needed <= free) return;
  throw new MemGenError({
    code: 'memory',
    ...(where !== undefined && { where }),
    message: `needs about ${readableBytes(needed)}, ${readableBytes(free)} free`,
    hint: 'close other programs, choose a smaller model, or use a machine with more memory',
  });
}

/**
 * Bytes that this process can still have: what the system could free, within the limit of a container. macOS does not
 * tell what it could free (it counts almost all memory as used), so there it is all memory.
 */
export function availableMemory(): number {
  return process.platform === 'darwin' ? totalmem() : Math.min(freemem(), process.availableMemory());
}
