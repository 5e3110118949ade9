// `memgen convert MODEL OUT`: a Hugging Face folder out of a GGUF file, a PyTorch checkpoint or another folder.
import { Command } from 'commander';
import { dtypeOption, writeModel } from './write-model.js';

export function convertCommand(): Command {
  return new Command('convert')
    .description(
      'write a model as a Hugging Face folder: config.json, tokenizer and one model.safetensors; weights go through ' +
        'memory one tensor at a time',
    )
    .argument('<model>', 'folder, .gguf file, or the name of a model in the Hugging Face cache or on the hub')
    .argument('<out>', 'the new folder; it must not exist or be empty')
    .addOption(dtypeOption('how to store the weights; f32 is exact, the others round to nearest'))
    .option('--revision <name>', 'branch, tag or commit of a model in the cache or on the hub')
    .action((source: string, out: string, options: { dtype: string; revision?: string }) =>
      writeModel(source, out, options),
    );
}
