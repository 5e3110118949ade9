// The training app: `npm start -- [--config FILE] [--set key=value] [--resume RUN]`.
import { fileURLToPath } from 'node:url';
import { MemGenError } from '@memgen/common';
import { Command } from 'commander';
import { loadExperiment } from './config/load-experiment.js';
import { watchInterrupts } from './interrupt.js';
import { runExperiment, type ExperimentRequest } from './run-experiment.js';

const defaultConfig = fileURLToPath(new URL('../../../configs/tiny-shop.yaml', import.meta.url));

// pnpm runs this app in its own folder; all paths are meant from where the command was given.
if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);

const program = new Command('train-app')
  .description('Trains a weaver: latent memory for a frozen language model. Without options: the tiny shop.')
  .option('--config <file>', 'experiment to run (YAML)', defaultConfig)
  .option('--set <key=value>', 'change a setting, e.g. training.max_steps=300; may be repeated', collect, [])
  .option('--out <folder>', 'run folder; default: runs/<name>-<time>')
  .option('--resume <run>', 'go on with an interrupted run folder; --set may change its evaluation')
  .showHelpAfterError('(see --help)');

program.action(async (options: { config: string; set: string[]; out?: string; resume?: string }) => {
  const say = (text: string) => {
    process.stdout.write(`${text}\n`);
  };
  const interrupts = watchInterrupts({ say });
  try {
    const { complete } = await runExperiment(await request(options), {
      say,
      stream: process.stderr,
      now: Date.now,
      signal: interrupts.signal,
      command: ['npm', 'start', '--', ...process.argv.slice(2)],
    });
    if (!complete) process.exitCode = 130;
  } catch (error) {
    if (!MemGenError.isInstance(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    interrupts.dispose();
  }
});

async function request({
  config,
  set,
  out,
  resume,
}: {
  config: string;
  set: string[];
  out?: string;
  resume?: string;
}): Promise<ExperimentRequest> {
  if (resume !== undefined) return { resume, ...(set.length > 0 && { overrides: set }) };
  const loaded = await loadExperiment({ file: config, overrides: set });
  return { loaded, ...(out !== undefined && { out }) };
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

await program.parseAsync();
