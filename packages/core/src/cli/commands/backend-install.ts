// `memgen backend install`: sets up TensorFlow's C library for this user.
import { createInterface } from 'node:readline/promises';
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import type { TensorflowInstallPlan } from '../../backend/install/install-tensorflow.js';
import { installTensorflow, planTensorflowInstall } from '../../backend/install/install-tensorflow.js';
import { megabytes } from '../format.js';
import { progressPrinter } from '../progress-printer.js';

interface Options {
  gpu?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  from?: string;
}

export function backendInstallCommand(): Command {
  return new Command('install')
    .description(
      'set up the tensorflow backend: tfjs-node on a current libtensorflow, taken from the Python package index and ' +
        'kept in your cache folder (MEMGEN_CACHE); needs npm and a C++ compiler, no Python',
    )
    .option('--gpu', 'the CUDA 12 build for NVIDIA GPUs on Linux x64 (untested: no GPU was at hand)')
    .option('--yes', 'do not ask before downloading')
    .option('--dry-run', 'say what would be done and stop')
    .option('--from <wheel>', 'use this TensorFlow wheel instead of downloading one')
    .action(async (options: Options) => {
      const plan = await planTensorflowInstall({ gpu: options.gpu === true, from: options.from });
      say(describePlan(plan));
      if (plan.present || options.dryRun === true) return;
      if (options.yes !== true && !(await confirmed())) {
        say('Nothing was done.');
        return;
      }
      const progress = progressPrinter(process.stderr);
      const interruption = new AbortController();
      const interrupt = (): void => {
        interruption.abort();
      };
      process.once('SIGINT', interrupt);
      try {
        await installTensorflow(plan, { onProgress: progress.update, signal: interruption.signal });
      } finally {
        process.off('SIGINT', interrupt);
        progress.end();
      }
      say('The tensorflow backend is ready; memgen uses it by itself from now on. `memgen doctor` measures it.');
    });
}

/** What the plan means, for a person. */
export function describePlan(plan: TensorflowInstallPlan): string {
  if (plan.present) return `The tensorflow backend is already installed in ${plan.folder}.`;
  const downloads = plan.wheels.slice(plan.from === undefined ? 0 : 1);
  return [
    `This sets up the tensorflow backend in ${plan.folder}:`,
    ...(plan.from === undefined ? [] : [`  use       ${plan.from}`]),
    ...downloads.map((wheel) => `  download  ${wheel.file} (${megabytes(wheel.size)})`),
    '  download  @tensorflow/tfjs-node and node-api-headers by npm (3 MB)',
    '  compile   the addon of tfjs-node (one call of the C++ compiler)',
    `To download: ${megabytes(plan.downloadBytes)}. Room needed: about ${megabytes(plan.downloadBytes + plan.diskBytes)}.`,
  ].join('\n');
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new MemGenError({
      code: 'backend-confirm',
      message: 'the download needs your consent, and there is no terminal to ask on',
      hint: 'add --yes',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Go on? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
