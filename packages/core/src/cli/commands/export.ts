// `memgen export CHECKPOINT --to official --out DIR`: a checkpoint in the layout of the official PyTorch code.
import { Command, Option } from 'commander';
import { exportOfficial } from '../../conversion/index.js';

interface Flags {
  to: 'official';
  out: string;
  reasoner?: string;
  revision?: string;
}

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'write a checkpoint in the layout of the official MemGen code, with safetensors files in place of its pickles; ' +
        'tensors keep their values',
    )
    .argument('<checkpoint>', 'folder with memgen.json, or organisation/name/folder on the hub')
    .addOption(new Option('--to <layout>', 'the layout').choices(['official']).makeOptionMandatory())
    .requiredOption('--out <folder>', 'the new folder; it must not exist or be empty')
    .option('--reasoner <model>', 'where the model of the checkpoint is now (default: where the checkpoint says)')
    .option('--revision <name>', 'branch, tag or commit of a checkpoint on the hub')
    .action(async (checkpoint: string, { out, reasoner, revision }: Flags) => {
      const { folder, parts, tensors } = await exportOfficial(checkpoint, out, { reasoner, revision });
      process.stdout.write(
        `${folder}: ${parts.join(' and ')}, ${tensors} tensors in the official layout\n` +
          'The tensor files are safetensors (projs, weaver, trigger .safetensors), not the pickles (.bin) that the ' +
          'official code reads: load them there with safetensors.torch.load_file.\n',
      );
    });
}
