// `memgen merge MODEL --adapter DIR --out DIR`: a model with a low-rank adapter merged into its weights.
import { Command } from 'commander';
import { dtypeOption, writeModel } from './write-model.js';

interface Options {
  adapter: string;
  out: string;
  dtype: string;
  revision?: string;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description(
      'write a model with an adapter merged into its weights as a Hugging Face folder; weights go through memory one ' +
        'tensor at a time',
    )
    .argument('<model>', 'the base: folder, .gguf file, or the name of a model in the Hugging Face cache or on the hub')
    .requiredOption('--adapter <folder>', 'adapter folder of the PEFT library')
    .requiredOption('--out <folder>', 'the new folder; it must not exist or be empty')
    .addOption(dtypeOption('how to store the weights; 16 bits may lose small changes'))
    .option('--revision <name>', 'branch, tag or commit of a model in the cache or on the hub')
    .action((source: string, { out, ...options }: Options) => writeModel(source, out, options));
}
