// The command `pnpm parity DIR`: checks this repository against recorded results of the reference implementation.
import { MemGenError } from '@memgen/common';
import { backendNames, startBackend, type BackendName } from '@memgen/core';
import { Command, Option } from 'commander';
import { formatResult, formatTally } from './report.js';
import { runParity } from './run.js';

interface Settings {
  backend: BackendName | 'auto';
  only?: string[];
  smollm2?: string;
}

const program = new Command('parity')
  .description('Checks every case of a folder that is laid out as the golden data of the reference are')
  .argument('<folder>', 'the whole layout, one group, or one case')
  .addOption(new Option('--backend <name>', 'what computes').choices(['auto', ...backendNames]).default('auto'))
  .addOption(
    new Option(
      '--only <patterns>',
      'only these: letters of groups, names or globs, e.g. "a,c_memgen/*/augment"',
    ).argParser((text) => text.split(',')),
  )
  .addOption(
    new Option(
      '--smollm2 <file>',
      'weights of SmolLM2-135M-Instruct for group i: the GGUF file of scripts/obtain-smollm2.ts',
    ).env('MEMGEN_SMOLLM2'),
  )
  .action(async (folder: string, { backend, only, smollm2 }: Settings) => {
    const { name, version, reason } = await startBackend({ backend });
    console.log(`backend ${name} ${version}: ${reason}`);
    const tally = await runParity(folder, {
      ...(only !== undefined && { only }),
      smollm2: smollm2 === '' ? undefined : smollm2,
      onResult: (result) => {
        console.log(formatResult(result));
      },
    });
    console.log(formatTally(tally));
    process.exitCode = tally.failed === 0 ? 0 : 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!MemGenError.isInstance(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
