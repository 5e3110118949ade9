// A training step of the weaver: loss, gradients and the optimizer.
import { AdamW, startBackend, trainingLoss, type WovenRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver } from './parts.js';
import { stepWorks } from './works.js';

/** `size`: which of {@link stepWorks}; each has a process of its own for its peak. */
export async function run(settings: JobSettings, reporter: Reporter): Promise<void> {
  const { backend, dtype, model, quick, size } = settings;
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  const work = stepWorks[size ?? 0]!;
  const { batch, tokens } = work;
  const promptTokens = tokens / 2;
  const points = Array.from({ length: 6 }, (_, i) => ({
    index: promptTokens + Math.floor((i * promptTokens) / 6),
    kind: i === 0 ? ('prompt' as const) : ('inference' as const),
  }));
  const rows = prompts(reasoner, batch, tokens).map((ids): WovenRow => ({
    ids,
    points,
    labels: ids.map((id, i) => (i < promptTokens ? -100 : id)),
  }));
  const optimizer = new AdamW(weaver.parameters());
  const gradientCheckpointing = work.recomputing === 1;
  const step = async (): Promise<void> => {
    const { gradients } = await trainingLoss(reasoner.decoder, rows, { weaver, dropoutSeed: 1, gradientCheckpointing });
    optimizer.step(gradients, 1e-5);
    tf.dispose([...gradients.values()]);
  };
  const samples = await repeated(quick || tokens > 256 ? 1 : 3, () => seconds(step));
  const facts = { backend, dtype, sizes: { ...work } };
  reporter.figure({ ...facts, measure: 'woven-training', unit: 's', samples });
  reporter.figure({
    ...{
      ...facts,
      measure: 'woven-training-memory',
      unit: 'GiB',
      samples: [peak() / 2 ** 30],
      note: 'loading included',
    },
  });
}
