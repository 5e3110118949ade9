import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunLock } from './run-lock.js';

describe('RunLock', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-lock-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const lockOf = (pid: number, host = hostname()): string => JSON.stringify({ pid, host, token: 'theirs' });

  it('is held once, says by whom, and can be had again after its release', () => {
    const lock = RunLock.acquire(folder);
    expect(JSON.parse(readFileSync(join(folder, 'run.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    expect(() => RunLock.acquire(folder)).toThrow(expect.objectContaining({ code: 'run-locked' }));
    expect(() => RunLock.acquire(folder)).toThrow(`process ${process.pid}`);
    lock.release();
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
    RunLock.acquire(folder).release();
  });

  it('is respected while its process lives and taken over when it has died', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    writeFileSync(join(folder, 'run.lock'), lockOf(child.pid!));
    expect(() => RunLock.acquire(folder)).toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = RunLock.acquire(folder);
    expect(readdirSync(folder)).toEqual(['run.lock']);
    lock.release();
  });

  it('takes over a torn lock and one with our own pid from an earlier boot, but none of another machine', () => {
    writeFileSync(join(folder, 'run.lock'), '{"pid": 1');
    RunLock.acquire(folder).release();
    writeFileSync(join(folder, 'run.lock'), lockOf(process.pid));
    RunLock.acquire(folder).release();
    writeFileSync(join(folder, 'run.lock'), lockOf(1, 'another-machine'));
    expect(() => RunLock.acquire(folder)).toThrow('another-machine');
  });

  it('leaves a lock alone that is no longer its own', () => {
    const lock = RunLock.acquire(folder);
    writeFileSync(join(folder, 'run.lock'), lockOf(1, 'another-machine'));
    lock.release();
    expect(existsSync(join(folder, 'run.lock'))).toBe(true);
  });
});
