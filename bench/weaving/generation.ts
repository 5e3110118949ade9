// Generation with latents woven in at every point.
import { generate, startBackend, type GeneratedRow } from '@memgen/core';
import type { Reporter } from '../frame/reporter.js';
import { seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver } from './weaver.js';

/** As the official figures were taken: prompts of 128 tokens, 128 new ones, no end token. */
const tokens = 128;

export async function run({ backend, dtype, model, quick }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  await generate(reasoner, prompts(reasoner, 1, 32), { maxNewTokens: 4, endIds: [], weaver });
  for (const batch of [1, 4]) {
    await reporter.attempt(`woven generation, batch ${batch}`, async () => {
      const samples: number[] = [];
      let rows: GeneratedRow[] = [];
      for (let i = 0; i < (quick ? 1 : 3); i++) {
        const taken = await seconds(async () => {
          rows = await generate(reasoner, prompts(reasoner, batch, tokens), {
            maxNewTokens: tokens,
            endIds: [],
            weaver,
          });
        });
        samples.push((batch * tokens) / taken);
      }
      const points = rows.map(({ augmentations }) => augmentations.filter((place) => place === 1).length);
      const note = `latents at ${points.join(', ')} points`;
      reporter.figure({
        ...{ measure: 'woven-generate', sizes: { batch }, unit: 'tokens/s', backend, dtype, samples, note },
      });
    });
  }
  reporter.figure({
    ...{ measure: 'woven-generate-memory', unit: 'GiB', backend, dtype, samples: [peak() / 2 ** 30] },
    note: 'loading included',
  });
}
