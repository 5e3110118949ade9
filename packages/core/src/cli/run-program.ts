// Runs a command line and turns its end into an exit code: errors made for people are shown without a stack.
import { MemGenError } from '@memgen/common';
import type { Command } from 'commander';
import { CommanderError } from 'commander';

/** Exit code 0 when the command succeeded, 1 otherwise. Errors that are not ours keep their stack: they are bugs. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  writeError: (text: string) => void = (text) => process.stderr.write(text),
): Promise<number> {
  process.exitCode = 0;
  try {
    await program.parseAsync(argv);
    return process.exitCode;
  } catch (error) {
    // commander has already said what is wrong with the command line.
    if (error instanceof CommanderError) return error.exitCode;
    if (!MemGenError.isInstance(error)) throw error;
    writeError(`${error.message}\n`);
    return 1;
  }
}
