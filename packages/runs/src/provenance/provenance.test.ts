import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGitState } from './git-state.js';
import { sha256OfFile, sha256OfText } from './hash-file.js';
import { describeMachine } from './machine.js';
import { readPackageVersions } from './package-versions.js';

describe('provenance', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-provenance-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('hashes files and texts alike', async () => {
    const path = join(folder, 'abc');
    writeFileSync(path, 'abc');
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await sha256OfFile(path)).toBe(expected);
    expect(sha256OfText('abc')).toBe(expected);
    await expect(sha256OfFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'file-not-found' });
  });

  it('describes the machine', () => {
    const machine = describeMachine();
    expect(machine.node).toBe(process.version);
    expect(machine.cpu_cores).toBeGreaterThan(0);
    expect(machine.memory_bytes).toBeGreaterThan(1e6);
  });

  it('finds versions where the caller would load the packages', () => {
    const versions = readPackageVersions(['vega', '@memgen/common', 'no-such-package'], import.meta.url);
    expect(versions.vega).toMatch(/^\d+\.\d+\.\d+/);
    expect(versions['@memgen/common']).toMatch(/^\d/);
    expect(versions['no-such-package']).toBe('not installed');
  });

  it('reads the commit and whether files differ from it', () => {
    expect(readGitState(folder)).toBeUndefined();
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
    git('init', '-q');
    writeFileSync(join(folder, 'a'), '1');
    git('add', 'a');
    git('commit', '-q', '-m', 'first');
    expect(readGitState(folder)).toEqual({ commit: git('rev-parse', 'HEAD').trim(), dirty: false });
    writeFileSync(join(folder, 'a'), '2');
    expect(readGitState(folder)?.dirty).toBe(true);
  });
});
