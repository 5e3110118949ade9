// Runs command lines in this process and gathers what they write.
import type { Command } from 'commander';
import { vi } from 'vitest';
import { buildProgram } from './program.js';
import { runProgram } from './run-program.js';

/** Runs a command line and gives back its exit code and what it wrote. */
export async function runCommand(
  words: readonly string[],
  program: Command = buildProgram(),
): Promise<{ code: number; out: string; errors: string }> {
  let [out, errors] = ['', ''];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true)),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true)),
  ];
  try {
    return { code: await runProgram(program, ['node', 'memgen', ...words]), out, errors };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  }
}
