// The command tree of `memgen`.
import { Command } from 'commander';
import { backendInstallCommand } from './commands/backend-install.js';
import { convertCommand } from './commands/convert.js';
import { doctorCommand } from './commands/doctor.js';
import { inspectCommand } from './commands/inspect.js';
import { probeCommand } from './commands/probe.js';

/** A fresh program; it throws instead of ending the process, so `runProgram` decides the exit code. */
export function buildProgram(): Command {
  const program = new Command('memgen')
    .description('Latent memory for language models: models, engines and diagnosis')
    .showHelpAfterError('(--help lists what there is)');
  const backend = new Command('backend')
    .description('manage the engines that compute')
    .addCommand(backendInstallCommand());
  program
    .addCommand(backend)
    .addCommand(convertCommand())
    .addCommand(doctorCommand())
    .addCommand(inspectCommand())
    .addCommand(probeCommand(), { hidden: true });
  stopExits(program);
  return program;
}

function stopExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) stopExits(child);
}
