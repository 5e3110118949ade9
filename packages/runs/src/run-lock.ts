// The lock of a run folder: one process at a time writes into it.
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';

export const lockName = 'run.lock';

interface LockOwner {
  pid: number;
  host: string;
  token: string;
}

/** Locks of this very process: a lock with our pid that we do not hold is left from an earlier boot or container. */
const held = new Set<string>();

/**
 * Holds `run.lock` in a folder. A lock whose process has died is taken over; one of another machine (a shared disk)
 * cannot be judged from here and counts as held.
 */
export class RunLock {
  private constructor(
    private readonly path: string,
    private readonly token: string,
  ) {}

  /** @throws MemGenError with code `run-locked` while another process writes to the folder. */
  static acquire(folder: string): RunLock {
    const path = join(folder, lockName);
    const token = randomUUID();
    for (let attempt = 0; attempt < 3; attempt++) {
      if (tryCreate(path, { pid: process.pid, host: hostname(), token })) {
        held.add(token);
        return new RunLock(path, token);
      }
      const owner = readOwner(path);
      if (owner === undefined) continue;
      if (isAlive(owner)) throw locked(path, `held by process ${owner.pid} on ${owner.host}`);
      removeStale(path, owner);
    }
    throw locked(path, 'several processes want the folder at the same moment');
  }

  /** Gives the folder free; does nothing when the lock is no longer ours. */
  release(): void {
    held.delete(this.token);
    if (readOwner(this.path)?.token === this.token) rmSync(this.path, { force: true });
  }
}

function tryCreate(path: string, owner: LockOwner): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(owner)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw toFileError(error, 'lock the run folder', path);
  }
}

/** `undefined` when the lock has just gone. An unreadable one counts as stale: it was torn by a crash. */
function readOwner(path: string): LockOwner | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw toFileError(error, 'read the lock of the run folder', path);
  }
  try {
    const { pid, host, token } = JSON.parse(text) as Partial<LockOwner>;
    if (Number.isInteger(pid) && typeof host === 'string' && typeof token === 'string') {
      return { pid: pid!, host, token };
    }
  } catch {
    // Fall through to the torn lock.
  }
  return { pid: 0, host: hostname(), token: '' };
}

function isAlive({ pid, host, token }: LockOwner): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(token);
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Moves the stale lock away and makes sure that it was that one, not the lock of who took over a moment before us. */
function removeStale(path: string, owner: LockOwner): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw toFileError(error, 'take over the lock of a dead run', path);
  }
  if (readOwner(aside)?.token === owner.token) {
    rmSync(aside, { force: true });
  } else {
    renameSync(aside, path);
  }
}

function locked(path: string, got: string): MemGenError {
  return new MemGenError({
    code: 'run-locked',
    where: path,
    message: 'another run is writing to this folder',
    got,
    expected: 'one run in a folder at a time',
    hint: 'wait for it, choose another folder, or delete this file if you know that no run is going on',
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
