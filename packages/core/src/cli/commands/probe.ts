// `memgen probe BACKEND`: what `memgen doctor` runs for each backend in a process of its own.
import { Argument, Command } from 'commander';
import { backendNames, isBackendName } from '../../backend/backend-info.js';
import { probeBackend } from '../../backend/doctor/probe-backend.js';

export function probeCommand(): Command {
  return new Command('probe')
    .description('start one backend, measure it and print the result as JSON')
    .addArgument(new Argument('<backend>').choices(backendNames))
    .action(async (name: string) => {
      if (isBackendName(name)) process.stdout.write(`${JSON.stringify(await probeBackend(name))}\n`);
    });
}
