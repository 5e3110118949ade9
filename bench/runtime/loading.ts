// Loading a model in a fresh process: time and peak of memory.
import { startBackend } from '@memgen/core';
import type { Reporter } from '../frame/reporter.js';
import { seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { loadVariant } from '../variants.js';
import { readFiles } from './read-files.js';

/** One sample a process: what was loaded before would hide the peak and warm up the code. */
export async function run({ backend, dtype, model }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  await readFiles(model);
  const peak = watchPeakMemory();
  let weightBytes = 0;
  const time = await seconds(async () => {
    const { parameterCount } = await loadVariant({ backend, dtype, model });
    weightBytes = 4 * parameterCount;
  });
  const growth = peak();
  const format = model.endsWith('.gguf') ? 'gguf' : 'safetensors';
  const facts = { backend, dtype };
  // Every weight is read once and written once.
  const least = { bytes: 2 * weightBytes };
  reporter.figure({ ...facts, measure: `load-${format}`, unit: 's', samples: [time], least });
  if (format === 'gguf') return;
  reporter.figure({ ...facts, measure: 'load-memory', unit: 'MB', samples: [growth / 1e6], limit: weightBytes / 1e6 });
  // Next to a small model the engine itself is all that one would see.
  if (weightBytes < 1e8) return;
  reporter.figure({ ...facts, measure: 'load-memory-multiple', unit: 'x', samples: [growth / weightBytes], limit: 1 });
}
