// A training step of the weaver: loss, gradients and the optimizer.
import { AdamW, startBackend, trainingLoss, type WovenRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver } from './weaver.js';

/** As the official figure was taken: 4 rows of 128 prompt and 128 completion tokens, 5 points and the prompt's. */
const [batch, tokens, promptTokens] = [4, 256, 128];

/** `size` 1 recomputes activations in the backward pass, 0 keeps them; each has a process of its own for its peak. */
export async function run(settings: JobSettings, reporter: Reporter): Promise<void> {
  const { backend, dtype, model, quick, size } = settings;
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  const points = [promptTokens, 150, 172, 194, 216, 238].map((index, i) => ({
    index,
    kind: i === 0 ? ('prompt' as const) : ('inference' as const),
  }));
  const rows = prompts(reasoner, batch, tokens).map((ids): WovenRow => ({
    ids,
    points,
    labels: ids.map((id, i) => (i < promptTokens ? -100 : id)),
  }));
  const optimizer = new AdamW(weaver.parameters());
  const gradientCheckpointing = size === 1;
  const step = (): void => {
    const { gradients } = trainingLoss(reasoner.decoder, rows, { weaver, dropoutSeed: 1, gradientCheckpointing });
    optimizer.step(gradients, 1e-5);
    tf.dispose([...gradients.values()]);
  };
  const samples = await repeated(quick ? 1 : 3, () => seconds(step));
  const facts = { backend, dtype, sizes: { recomputing: gradientCheckpointing ? 1 : 0 } };
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
