// A training run in a process of its own, to be killed: tells each step and each half-written checkpoint to its parent.
import { startBackend } from '@memgen/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { trainAdapter } from './adapter-sft.js';
import { plainRows, tinyAdapter } from './sft-rows.test-helper.js';

/** @returns the weights of the finished adapter, in base64 by name. */
export async function trainInFolder(folder: string, tell: (event: string) => void): Promise<Record<string, string>> {
  await startBackend({ backend: 'wasm' });
  const decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  const adapter = tinyAdapter(decoder, { dropout: 0.3 });
  await trainAdapter(decoder, adapter, plainRows, {
    batchSize: 1,
    steps: 12,
    seed: 5,
    schedule: { kind: 'cosine', peak: 0.05, warmup: 2 },
    evaluation: { rows: plainRows.slice(2), every: 3 },
    onStep: ({ step }) => {
      tell(`step ${step}`);
    },
    checkpoints: {
      folder,
      everySteps: 2,
      write: async (path, step) => {
        await writeFile(join(path, 'half'), 'written');
        tell(`writing ${step}`);
        // Time for the parent's signal to arrive.
        await setTimeout(30);
      },
    },
  });
  const values = [...adapter.parameters()].map(([name, variable]) => [name, Buffer.from(variable.dataSync().slice().buffer).toString('base64')]); // prettier-ignore
  adapter.dispose();
  decoder.dispose();
  return Object.fromEntries(values) as Record<string, string>;
}

const folder = process.argv[2];
if (import.meta.filename === process.argv[1] && folder !== undefined) {
  const values = await trainInFolder(folder, (event) => process.send?.(event));
  process.send?.(values, () => {
    process.disconnect();
  });
}
