// The command tree of `memgen`.
import { Command } from 'commander';
import { backendInstallCommand } from './commands/backend-install.js';
import { chatCommand } from './commands/chat.js';
import { convertCommand } from './commands/convert.js';
import { doctorCommand } from './commands/doctor.js';
import { exportCommand } from './commands/export.js';
import { generateCommand } from './commands/generate.js';
import { inspectCommand } from './commands/inspect.js';
import { mergeCommand } from './commands/merge.js';
import { probeCommand } from './commands/probe.js';
import { weaveCommand } from './commands/weave.js';

/**
 * A fresh program; it throws instead of ending the process, so `runProgram` decides the exit code.
 * @param input - the standard input.
 */
export function buildProgram(input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin): Command {
  const program = new Command('memgen')
    .description('Latent memory for language models: models, engines and diagnosis')
    .showHelpAfterError('(--help lists what there is)');
  const backend = new Command('backend')
    .description('manage the engines that compute')
    .addCommand(backendInstallCommand());
  program
    .addCommand(backend)
    .addCommand(chatCommand(input))
    .addCommand(convertCommand())
    .addCommand(doctorCommand())
    .addCommand(exportCommand())
    .addCommand(generateCommand(input))
    .addCommand(inspectCommand())
    .addCommand(mergeCommand())
    .addCommand(weaveCommand(input))
    .addCommand(probeCommand(), { hidden: true });
  stopExits(program);
  return program;
}

function stopExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) stopExits(child);
}
