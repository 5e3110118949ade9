// The command line: suggestions, exit codes, errors without a stack.
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from './run-commands.test-helper.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('memgen', () => {
  it('suggests the option or command that was meant', async () => {
    expect(await runCommand(['backend', 'install', '--yess'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Did you mean --yes?'),
    });
    expect(await runCommand(['docter'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Did you mean doctor?'),
    });
  });

  it('prints help with exit code 0', async () => {
    const { code, out } = await runCommand(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('doctor');
    expect(out).not.toContain('probe');
  });

  it('says what an installation would do and does not do it', async () => {
    vi.stubEnv('MEMGEN_CACHE', '/nonexistent/memgen');
    const { code, out } = await runCommand(['backend', 'install', '--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('/nonexistent/memgen/engines/tensorflow-');
    expect(out).toMatch(/download {2}tensorflow.*\.whl \(\d+ MB\)/);
    expect(out).toMatch(/To download: \d+ MB/);
  });

  it('does not download without consent', async () => {
    vi.stubEnv('MEMGEN_CACHE', '/nonexistent/memgen');
    expect(await runCommand(['backend', 'install'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('add --yes'),
    });
  });

  it('shows an error made for people without its stack, and lets others through', async () => {
    const failing = (error: Error): Command =>
      new Command('memgen').exitOverride().action(() => {
        throw error;
      });
    const known = new MemGenError({ code: 'x', message: 'the disk is full', hint: 'free some' });
    expect(await runCommand([], failing(known))).toEqual({
      code: 1,
      out: '',
      errors: 'the disk is full\n  to do:    free some\n',
    });
    await expect(runCommand([], failing(new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});
