import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFixture } from './golden-fixture.test-helper.js';

/** Runs the command as `pnpm parity` does. */
function parity(...parameters: string[]): Promise<{ code: number; output: string; errors: string }> {
  const command = [
    '--import',
    'tsx',
    '--conditions=@memgen/source',
    join(import.meta.dirname, 'main.ts'),
    ...parameters,
  ];
  const cwd = join(import.meta.dirname, '../../..');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd }, (_, output, errors) => {
      resolve({ code: child.exitCode ?? -1, output, errors });
    });
  });
}

describe('the command', () => {
  it('prints a line for each case and ends with the tally', async () => {
    const root = await mkdtemp(join(tmpdir(), 'memgen-parity-'));
    await cp(goldenFixture('h_dtypes'), join(root, 'h_dtypes'), { recursive: true });
    await mkdir(join(root, 'c_memgen', 'llama', 'unheard_of'), { recursive: true });
    const { code, output } = await parity(root, '--backend', 'cpu');
    await rm(root, { recursive: true });
    expect(code).toBe(0);
    const lines = output.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^backend cpu /);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^skip {2}c_memgen\/llama\/unheard_of +this kind of case is not known$/),
      expect.stringMatching(/^pass {2}h_dtypes +exact {2}\d+ ms$/),
      '1 passed, 0 failed, 1 skipped',
    ]);
  });

  it('shows a mistake of the user without a stack', async () => {
    const { code, errors } = await parity(goldenFixture('models'), '--backend', 'cpu');
    expect(code).toBe(1);
    expect(errors).toContain('there are no cases to check here');
    expect(errors).not.toMatch(/^\s+at /m);
  });
});
