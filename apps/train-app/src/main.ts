// The training app: `npm start -- [--config FILE] [--set key=value] [--resume RUN]`, `npm start -- compare RUN RUN...`.
import { fileURLToPath } from 'node:url';
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import { compareRuns } from './compare-runs.js';
import { loadExperiment, type LoadedExperiment } from './config/load-experiment.js';
import { printExperiment } from './config/print-experiment.js';
import { watchInterrupts } from './interrupt.js';
import { readExperimentOf, runExperiment, type ExperimentRequest } from './run-experiment.js';

const defaultConfig = fileURLToPath(new URL('../../../configs/tiny-shop.yaml', import.meta.url));

// pnpm runs this app in its own folder; all paths are meant from where the command was given.
if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);

interface StartOptions {
  config: string;
  set: string[];
  out?: string;
  resume?: string;
  printConfig?: boolean;
}

const program = new Command('train-app')
  .description(
    'Trains latent memory for a frozen language model: weavers, triggers, adapters. Without options: the tiny shop.',
  )
  .enablePositionalOptions()
  .option('--config <file>', 'experiment to run (YAML)', defaultConfig)
  .option(
    '--set <key=value>',
    'change a setting, e.g. training.max_steps=300 or, of the experiment that follows, next.training.max_steps=30',
    collect,
    [],
  )
  .option('--out <folder>', 'run folder; default: runs/<name>-<time>')
  .option('--resume <run>', 'go on with an interrupted run folder; --set may change its evaluation')
  .option('--print-config', 'show the configuration with all defaults, and end')
  .showHelpAfterError('(see --help)')
  .action((options: StartOptions) => explained(() => start(options)));

program
  .command('compare')
  .description('Writes a report on several runs: settings that differ, results, curves together.')
  .argument('<runs...>', 'run folders, two or more')
  .option('--out <file>', 'the report', 'compare.html')
  .action((folders: string[], { out }: { out: string }) =>
    explained(async () => {
      await compareRuns(folders, { out, now: Date.now });
      say(`Report: ${out}`);
    }),
  );

async function start({ resume, config, set, out, printConfig = false }: StartOptions): Promise<void> {
  if (printConfig) {
    say(printExperiment(await load({ resume, config, set })).trimEnd());
    return;
  }
  const request: ExperimentRequest =
    resume === undefined
      ? { loaded: await load({ config, set }), ...(out !== undefined && { out }) }
      : { resume, ...(set.length > 0 && { overrides: set }) };
  const interrupts = watchInterrupts({ say });
  try {
    const { complete } = await runExperiment(request, {
      say,
      stream: process.stderr,
      now: Date.now,
      signal: interrupts.signal,
      command: ['npm', 'start', '--', ...process.argv.slice(2)],
    });
    if (!complete) process.exitCode = 130;
  } finally {
    interrupts.dispose();
  }
}

function load({ resume, config, set }: Pick<StartOptions, 'resume' | 'config' | 'set'>): Promise<LoadedExperiment> {
  return resume === undefined ? loadExperiment({ file: config, overrides: set }) : readExperimentOf(resume, set);
}

/** What a person or a file did wrong is said without a stack. */
async function explained(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!MemGenError.isInstance(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

await program.parseAsync();
