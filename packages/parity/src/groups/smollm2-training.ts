// Group i, memgen_train: loss of the training forward of the real model, and checksums of its gradients.
import { trainingLoss } from '@memgen/core';
import { readWeaverTensors } from '@memgen/weaver';
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { limitOf, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { makeWeaver } from '../golden-weaver.js';
import { pointColumns, wovenBatch } from '../woven-batch.js';
import { checksum, checksumLimits, checksumSchema } from './checksum.js';
import { smollm2Lora, smollm2Of, Smollm2Trainables, wovenTolerances } from './smollm2-model.js';

const ids = z.array(z.array(z.number()));
const recorded = z.object({
  input_ids: ids,
  attention_mask: ids,
  labels: ids,
  loss: z.number(),
  augmentation_points: ids,
  grads: z.record(z.string(), checksumSchema),
});

const maxInferencePoints = 5;

export async function checkSmollm2Training(golden: GoldenCase, compare: Comparison): Promise<void> {
  const want = await golden.json(recorded, '..', 'memgen_train.json');
  const { decoder, tokenizer } = await smollm2Of(golden);
  const { weaver, officialNames } = await makeWeaver(golden, decoder, smollm2Lora, new Smollm2Trainables());
  const rows = wovenBatch(
    { ids: want.input_ids, mask: want.attention_mask, labels: want.labels },
    { tokenizer, maxInferencePoints },
  );
  compare.exact('augmentation points', pointColumns(rows), want.augmentation_points);

  const { loss, gradients } = await trainingLoss(decoder, rows, { weaver });
  for (const gradient of gradients.values()) golden.own(gradient);
  compare.numbers('loss', [loss], [want.loss], wovenTolerances.loss);
  const named = new Map<string, tf.Tensor>();
  for (const [name, variable] of weaver.parameters()) {
    const gradient = gradients.get(variable);
    // Only those of the first and the last layer's adapters were recorded.
    if (gradient !== undefined && want.grads[officialNames.get(name)!] !== undefined) named.set(name, gradient);
  }
  compare.exact('number of gradients', named.size, Object.keys(want.grads).length);
  for (const [name, { data }] of await readWeaverTensors(named)) {
    const { sum, abs_sum, sq_sum, first, last } = want.grads[officialNames.get(name)!]!;
    const limits = Float64Array.from(data, (value) => limitOf(wovenTolerances.gradient, value));
    const sums = [sum, abs_sum, sq_sum, ...first, ...last];
    compare.numbers(`gradient of ${name}`, checksum(data), sums, checksumLimits(data, limits));
  }
}
