// `memgen inspect MODEL`: what a model, adapter, checkpoint or file of tensors is, and what it takes to run it.
import { Command } from 'commander';
import { inspectModel, summarizeByDtype } from '../../inspection/index.js';
import { availableMemory } from '../../reasoner/check-memory.js';
import { progressPrinter } from '../progress-printer.js';
import { describeInspection } from './describe-inspection.js';

interface Options {
  tensors?: boolean;
  json?: boolean;
  download?: boolean;
  revision?: string;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'say what a model, adapter, checkpoint or safetensors file is, whether it can be run here, and the memory it ' +
        'needs; only headers are read',
    )
    .argument('<model>', 'folder, .gguf or .safetensors file, or the name of a model in the Hugging Face cache')
    .option('--tensors', 'list every tensor')
    .option('--json', 'print the report as JSON')
    .option('--revision <name>', 'branch, tag or commit of a model in the cache or on the hub')
    .option('--download', 'fetch a model that is not in the cache')
    .action(async (source: string, { tensors = false, json = false, download = false, revision }: Options) => {
      const progress = progressPrinter(process.stderr);
      const inspection = await inspectModel(source, {
        download,
        revision,
        onProgress: ({ file, receivedBytes, totalBytes }) => {
          progress.update(`downloading ${file}`, receivedBytes, totalBytes);
        },
      }).finally(progress.end);
      const { tensors: all, ...rest } = inspection;
      const report = { ...rest, dtypes: summarizeByDtype(all), ...(tensors && { tensors: all }) };
      process.stdout.write(
        json
          ? `${JSON.stringify(report, null, 2)}\n`
          : describeInspection(inspection, { tensors, availableMemory: availableMemory() }),
      );
    });
}
