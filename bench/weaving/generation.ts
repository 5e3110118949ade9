// Generation with latents woven in, with and without a trigger, beside the same without latents.
import { generate, startBackend, type GenerateOptions, type GeneratedRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver, staggeredTrigger, willingTrigger } from './parts.js';

/** As the official figures were taken: prompts of 128 tokens, 128 new ones, no end token, five points after the prompt's. */
const tokens = 128;
/** Whatever the model writes: a point each so many tokens. */
const everyPlace: Partial<GenerateOptions> = {
  delimiterRule: 'token',
  minimumPointDistance: 21,
  maxInferencePoints: 5,
};

export async function run({ backend, dtype, model, quick }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const alone = tf.memory().numBytes;
  const weaver = newWeaver(reasoner);
  const trigger = willingTrigger(reasoner);
  const facts = { backend, dtype };
  reporter.figure({ ...facts, measure: 'woven-parts-multiple', unit: 'x', samples: [tf.memory().numBytes / alone] });
  const arms: [string, Partial<GenerateOptions>][] = [
    ['bare-generate', {}],
    ['woven-generate', { weaver, ...everyPlace }],
    ['triggered-generate', { weaver, trigger, ...everyPlace }],
  ];
  for (const [, options] of arms) {
    await generate(reasoner, prompts(reasoner, 1, 32), { maxNewTokens: 4, endIds: [], ...options });
  }
  for (const batch of quick ? [1, 4] : [1, 4, 16]) {
    const samples = new Map(arms.map(([measure]) => [measure, [] as number[]]));
    const notes = new Map<string, string>();
    const repetitions = quick ? 1 : { 1: 7, 4: 5, 16: 3 }[batch]!;
    await reporter.attempt(`generation, batch ${batch}`, async () => {
      const given = prompts(reasoner, batch, tokens);
      for (let i = 0; i < repetitions; i++) {
        // By turns: what else the machine does meets all alike.
        for (const [measure, options] of arms) {
          let rows: GeneratedRow[] = [];
          const taken = await seconds(async () => {
            rows = await generate(reasoner, given, { maxNewTokens: tokens, endIds: [], ...options });
          });
          samples.get(measure)!.push((batch * tokens) / taken);
          const points = rows.map(({ augmentations }) => augmentations.filter((place) => place === 1).length);
          if (options.weaver !== undefined) notes.set(measure, `latents at ${[...new Set(points)].join(', ')} points`);
        }
      }
      for (const [measure] of arms) {
        const note = notes.get(measure);
        reporter.figure({
          ...{ ...facts, measure, sizes: { batch }, unit: 'tokens/s', samples: samples.get(measure)! },
          ...(note !== undefined && { note }),
        });
      }
    });
  }
  await reporter.attempt('rows that are woven at different steps', async () => {
    const given = prompts(reasoner, 4, tokens);
    const own = staggeredTrigger({ every: 21, between: 5 });
    const reading = async (options: Partial<GenerateOptions>) => {
      const settings = { maxNewTokens: tokens, endIds: [], trace: true, clock: () => performance.now(), ...options };
      const [row] = await generate(reasoner, given, settings);
      return row!.trace!.milliseconds!.reasoner;
    };
    const samples: number[] = [];
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      const bare = await reading({});
      const woven = await reading({ weaver, trigger: own, ...everyPlace, minimumPointDistance: 1 });
      samples.push(woven / bare);
    }
    reporter.figure({ ...facts, measure: 'staggered-reasoner', sizes: { batch: 4 }, unit: 'x', samples });
  });
  reporter.figure({
    ...{ ...facts, measure: 'woven-generate-memory', unit: 'GiB', samples: [peak() / 2 ** 30] },
    note: 'loading and largest batch included',
  });
}
