// How the time of a generation grows with the points at which latents are woven in.
import { generate, startBackend } from '@memgen/core';
import { median } from '../frame/figure.js';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver } from './parts.js';
import { pointsWork } from './works.js';

export async function run({ backend, dtype, model, quick }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  const { prompt, newTokens, counts } = pointsWork;
  const given = prompts(reasoner, 1, prompt);
  const write = (points: number, maxNewTokens: number) =>
    generate(reasoner, given, {
      maxNewTokens,
      endIds: [],
      weaver,
      delimiterRule: 'token',
      maxInferencePoints: points,
      minimumPointDistance: Math.max(1, Math.floor(newTokens / (points + 1))),
    });
  await write(0, 2);
  for (const points of counts) {
    const samples = await repeated(quick ? 1 : 3, () => seconds(() => write(points, newTokens)));
    const note = `fastest ${Math.min(...samples).toFixed(2)} s, median ${median(samples).toFixed(2)} s`;
    reporter.figure({ measure: 'woven-points', sizes: { points }, unit: 's', backend, dtype, samples, note });
  }
}
