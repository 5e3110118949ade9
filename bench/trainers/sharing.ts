// What it gains that the completions of a group share the reading of their prompt.
import { Random } from '@memgen/common';
import { generate, startBackend, type GenerateOptions } from '@memgen/core';
import { seconds } from '../frame/measure.js';
import type { Reporter } from '../frame/reporter.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver } from './parts.js';

/** The reference's groups of 8, with a prompt of ordinary length. */
export const groupWork = { groupSize: 8, promptTokens: 128, newTokens: 32 };

export async function run({ backend, dtype, model, quick }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  const { groupSize, promptTokens, newTokens } = groupWork;
  const [prompt] = prompts(reasoner, 1, promptTokens) as [number[]];
  const settings: GenerateOptions = {
    ...{ weaver, weaveAt: 'prompt' as const, maxNewTokens: newTokens, endIds: [] },
    sampling: { temperature: 1 },
  };
  const ways = [
    { measure: 'group-together', asked: [prompt], samplesPerPrompt: groupSize, samples: new Array<number>() },
    { measure: 'group-apart', asked: Array.from({ length: groupSize }, () => prompt), samples: new Array<number>() },
  ];
  // One round that warms up; taken in turn, so that a busy moment of the machine hits both.
  for (let round = 0; round <= (quick ? 2 : 5); round++) {
    for (const { asked, samplesPerPrompt = 1, samples } of ways) {
      const random = Random.fromSeed(1);
      const taken = await seconds(() => generate(reasoner, asked, { ...settings, random, samplesPerPrompt }));
      if (round > 0) samples.push((groupSize * newTokens) / taken);
    }
  }
  for (const { measure, samples } of ways) reporter.figure({ backend, dtype, measure, unit: 'tokens/s', samples });
}
