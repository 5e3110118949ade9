// `memgen convert MODEL OUT`: a Hugging Face folder out of a GGUF file, a PyTorch checkpoint or another folder.
import { Command, Option } from 'commander';
import { convertModel, type WeightDtype } from '../../conversion/index.js';
import { readableBytes } from '../../reasoner/readable-bytes.js';
import { progressPrinter } from '../progress-printer.js';

const dtypes = new Map<string, WeightDtype>([
  ['f32', 'F32'],
  ['bf16', 'BF16'],
  ['f16', 'F16'],
]);

interface Options {
  dtype: string;
  revision?: string;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description(
      'write a model as a Hugging Face folder: config.json, tokenizer and one model.safetensors; weights go through ' +
        'memory one tensor at a time',
    )
    .argument('<model>', 'folder, .gguf file, or the name of a model in the Hugging Face cache or on the hub')
    .argument('<out>', 'the new folder; it must not exist or be empty')
    .addOption(
      new Option('--dtype <type>', 'how to store the weights; f32 is exact, the others round to nearest')
        .choices([...dtypes.keys()])
        .default('f32'),
    )
    .option('--revision <name>', 'branch, tag or commit of a model in the cache or on the hub')
    .action(async (source: string, out: string, { dtype, revision }: Options) => {
      const progress = progressPrinter(process.stderr);
      const interruption = new AbortController();
      const interrupt = (): void => {
        interruption.abort();
      };
      process.once('SIGINT', interrupt);
      try {
        const { folder, tensors, byteLength } = await convertModel(source, out, {
          dtype: dtypes.get(dtype),
          revision,
          signal: interruption.signal,
          onProgress: ({ file, receivedBytes, totalBytes }) => {
            progress.update(`downloading ${file}`, receivedBytes, totalBytes);
          },
          onWritten: (written, total) => {
            progress.update('writing model.safetensors', written, total);
          },
        });
        progress.end();
        process.stdout.write(`${folder}: ${tensors} tensors, ${readableBytes(byteLength)} in ${dtype}\n`);
      } finally {
        process.off('SIGINT', interrupt);
        progress.end();
      }
    });
}
