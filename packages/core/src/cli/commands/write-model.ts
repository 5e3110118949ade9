// What commands that write a model folder have in common: storage type, progress, interruption, the closing line.
import { Option } from 'commander';
import { convertModel, type ConvertModelOptions, type WeightDtype } from '../../conversion/index.js';
import { readableBytes } from '../../reasoner/readable-bytes.js';
import { progressPrinter } from '../progress-printer.js';

const dtypes = new Map<string, WeightDtype>([
  ['f32', 'F32'],
  ['bf16', 'BF16'],
  ['f16', 'F16'],
]);

/** `--dtype`. */
export function dtypeOption(description: string): Option {
  return new Option('--dtype <type>', description).choices([...dtypes.keys()]).default('f32');
}

/** Converts with progress on stderr; the interrupt key stops between two tensors and leaves nothing behind. */
export async function writeModel(
  source: string,
  out: string,
  { dtype, ...options }: Pick<ConvertModelOptions, 'adapter' | 'revision'> & { dtype: string },
): Promise<void> {
  const progress = progressPrinter(process.stderr);
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  process.once('SIGINT', interrupt);
  try {
    const { folder, tensors, byteLength } = await convertModel(source, out, {
      ...options,
      dtype: dtypes.get(dtype),
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
}
