// `memgen backend install`: sets up TensorFlow's C library, and kernels for this processor, for this user.
import { createInterface } from 'node:readline/promises';
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import { compileKernels } from '../../backend/install/compile-kernels.js';
import type { TensorflowInstallPlan } from '../../backend/install/install-tensorflow.js';
import { installTensorflow, planTensorflowInstall } from '../../backend/install/install-tensorflow.js';
import { kernelsPath, nativeKernels, processorHasAvx512 } from '../../backend/native/native-kernels.js';
import { megabytes } from '../format.js';
import { progressPrinter } from '../progress-printer.js';

interface Options {
  gpu?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  from?: string;
  kernels?: boolean;
}

/** Whether kernels can be compiled for this processor. */
type KernelsState = 'possible' | 'present' | 'impossible';

export function backendInstallCommand(): Command {
  return new Command('install')
    .description(
      'set up the tensorflow backend: tfjs-node on a current libtensorflow, taken from the Python package index and ' +
        'kept in your cache folder (MEMGEN_CACHE); and, on Linux with AVX-512, kernels for new tokens and prompts; needs ' +
        'npm and a C++ compiler, no Python',
    )
    .option('--gpu', 'the CUDA 12 build for NVIDIA GPUs on Linux x64 (untested: no GPU was at hand)')
    .option('--yes', 'do not ask before downloading')
    .option('--dry-run', 'say what would be done and stop')
    .option('--from <wheel>', 'use this TensorFlow wheel instead of downloading one')
    .option('--kernels', 'compile the kernels alone: a few seconds, nothing is downloaded')
    .action(async (options: Options) => {
      const kernels = kernelsState();
      if (options.kernels === true) {
        if (kernels === 'impossible') throw noKernels();
        say(describeKernels(kernels));
        if (kernels === 'possible' && options.dryRun !== true) await installKernels();
        return;
      }
      const plan = await planTensorflowInstall({ gpu: options.gpu === true, from: options.from });
      say(describePlan(plan, kernels));
      if (options.dryRun === true) return;
      if (!plan.present && !(await installEngine(plan, options))) return;
      if (kernels === 'possible') await installKernels();
    });
}

/** What the plan means, for a person. */
export function describePlan(plan: TensorflowInstallPlan, kernels: KernelsState): string {
  if (plan.present) {
    const present = `The tensorflow backend is already installed in ${plan.folder}.`;
    return kernels === 'impossible' ? present : `${present}\n${describeKernels(kernels)}`;
  }
  const downloads = plan.wheels.slice(plan.from === undefined ? 0 : 1);
  return [
    `This sets up the tensorflow backend in ${plan.folder}:`,
    ...(plan.from === undefined ? [] : [`  use       ${plan.from}`]),
    ...downloads.map((wheel) => `  download  ${wheel.file} (${megabytes(wheel.size)})`),
    '  download  @tensorflow/tfjs-node by npm (3 MB)',
    '  compile   the addon of tfjs-node (one call of the C++ compiler)',
    ...(kernels === 'possible'
      ? ['  compile   the kernels for new tokens and prompts, with AVX-512 (another call)']
      : []),
    `To download: ${megabytes(plan.downloadBytes)}. Room needed: about ${megabytes(plan.downloadBytes + plan.diskBytes)}.`,
  ].join('\n');
}

/** @returns false where consent was refused. */
async function installEngine(plan: TensorflowInstallPlan, { yes = false }: Options): Promise<boolean> {
  if (!yes && !(await confirmed())) {
    say('Nothing was done.');
    return false;
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
  return true;
}

function kernelsState(): KernelsState {
  if (!processorHasAvx512()) return 'impossible';
  return nativeKernels() === undefined ? 'possible' : 'present';
}

function describeKernels(kernels: Exclude<KernelsState, 'impossible'>): string {
  return kernels === 'present'
    ? `The kernels are already installed: ${kernelsPath()}.`
    : `This compiles the kernels for new tokens and prompts with AVX-512: ${kernelsPath()}.`;
}

async function installKernels(): Promise<void> {
  await compileKernels(kernelsPath());
  say('The kernels are ready; memgen uses them by itself from now on.');
}

function noKernels(): MemGenError {
  return new MemGenError({
    code: 'backend-platform',
    message: 'there are no kernels to compile for this machine',
    got: `${process.platform} ${process.arch}${process.platform === 'linux' ? ', a processor without AVX-512' : ''}`,
    expected: 'Linux on x64 with AVX-512',
    hint: 'go on without them: those in WebAssembly need nothing',
  });
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
