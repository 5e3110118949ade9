// The command line: suggestions, exit codes, errors without a stack.
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildProgram } from './program.js';
import { runProgram } from './run-program.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Runs a command line and gives back its exit code and what it wrote. */
async function run(words: string[], program = buildProgram()): Promise<{ code: number; out: string; errors: string }> {
  let [out, errors] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
  const code = await runProgram(program, ['node', 'memgen', ...words]);
  vi.restoreAllMocks();
  return { code, out, errors };
}

describe('memgen', () => {
  it('suggests the option or command that was meant', async () => {
    expect(await run(['backend', 'install', '--yess'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Did you mean --yes?'),
    });
    expect(await run(['docter'])).toMatchObject({ code: 1, errors: expect.stringContaining('Did you mean doctor?') });
  });

  it('prints help with exit code 0', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('doctor');
    expect(out).not.toContain('probe');
  });

  it('says what an installation would do and does not do it', async () => {
    vi.stubEnv('MEMGEN_CACHE', '/nonexistent/memgen');
    const { code, out } = await run(['backend', 'install', '--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('/nonexistent/memgen/engines/tensorflow-');
    expect(out).toMatch(/download {2}tensorflow.*\.whl \(\d+ MB\)/);
    expect(out).toMatch(/To download: \d+ MB/);
  });

  it('does not download without consent', async () => {
    vi.stubEnv('MEMGEN_CACHE', '/nonexistent/memgen');
    expect(await run(['backend', 'install'])).toMatchObject({ code: 1, errors: expect.stringContaining('add --yes') });
  });

  it('shows an error made for people without its stack, and lets others through', async () => {
    const failing = (error: Error): Command =>
      new Command('memgen').exitOverride().action(() => {
        throw error;
      });
    const known = new MemGenError({ code: 'x', message: 'the disk is full', hint: 'free some' });
    expect(await run([], failing(known))).toEqual({
      code: 1,
      out: '',
      errors: 'the disk is full\n  to do:    free some\n',
    });
    await expect(run([], failing(new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});
