// Group c, instruct_* and private_forward_*: the training forward of one-turn rows, its loss and gradients.
import {
  Tape,
  evaluationLoss,
  ignoredLabel,
  trainingLoss,
  wovenForward,
  valuesOf,
  type Decoder,
  type Weaver,
} from '@memgen/core';
import { readWeaverTensors } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { openWeaver, type GoldenWeaver } from '../golden-weaver.js';
import { atPlaces, atRealTokens } from '../padded-rows.js';
import { pointColumns, wovenBatch, wovenBatchAt, type WovenBatchRow } from '../woven-batch.js';
import { layoutOf } from './memgen-layout.js';

const augmentationPoints = z.array(z.array(z.number()));
const config = z.object({ max_inference_aug_num: z.number() });
const instructMeta = z.object({ loss: z.number(), config, augmentation_points: augmentationPoints });
const forwardMeta = z.object({ augmentation_points: augmentationPoints });

export async function checkInstruction(golden: GoldenCase, compare: Comparison): Promise<void> {
  const meta = await golden.json(instructMeta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const models = await openWeaver(golden, await layoutOf(golden), await golden.tensors('..', 'state.safetensors'));
  const mask = await io.rows('attention_mask');
  const rows = wovenBatch(
    { ids: await io.rows('input_ids'), mask, labels: await io.rows('labels_in') },
    { tokenizer: models.tokenizer, maxInferencePoints: meta.config.max_inference_aug_num },
  );
  compare.exact('augmentation points', pointColumns(rows), meta.augmentation_points);
  for (const name of ['labels_postprocessed', 'supervised_labels']) {
    compare.exact(name, paddedLabels(rows, mask), await io.rows(name));
  }

  const { reasoner, weaver } = models;
  const logits = await alignedLogits(reasoner, weaver, rows, mask);
  if (io.has('logits')) {
    const want = atRealTokens(await io.floats('logits'), mask);
    compare.numbers('logits', atRealTokens(logits, mask), want, tolerances.logits);
  }
  if (io.has('logits_at')) {
    const width = mask[0]!.length;
    const places = (await io.rows('logits_index')).map(([row, column]) => row! * width + column!);
    const got = atPlaces(logits, places, reasoner.config.vocabularySize);
    compare.numbers('logits', got, await io.floats('logits_at'), tolerances.logits);
  }

  const evaluated = await evaluationLoss(reasoner, rows, weaver);
  compare.numbers('loss (evaluation)', [evaluated.loss], [meta.loss], tolerances.loss);
  for (const gradientCheckpointing of [true, false]) {
    const suffix = gradientCheckpointing ? ' (checkpointed)' : '';
    const { loss, gradients } = await trainingLoss(reasoner, rows, {
      weaver,
      gradientCheckpointing,
    });
    compare.numbers(`loss${suffix}`, [loss], [meta.loss], tolerances.loss);
    try {
      await compareGradients({ compare, models, gradients, want: io, prefix: 'grad.', suffix });
    } finally {
      tf.dispose([...gradients.values()]);
    }
  }
}

/** Two rows that share their points, which the reference gives as one list for the whole batch. */
export async function checkPrivateForward(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { augmentation_points } = await golden.json(forwardMeta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const layout = await layoutOf(golden);
  const { reasoner, weaver } = await openWeaver(golden, layout, await golden.tensors('..', 'state.safetensors'));
  const ids = await io.rows('input_ids');
  const mask = await io.rows('attention_mask');
  const points = ids.map(() => augmentation_points[0]!);
  const rows = wovenBatchAt({ ids, mask, labels: await io.rows('labels') }, points);

  const width = mask[0]!.length;
  const completion = io.shape('logits_completion')[1]!;
  const places = ids.flatMap((_, b) =>
    Array.from({ length: completion }, (_, t) => b * width + width - completion + t),
  );
  const completionMask = mask.map((row) => row.slice(-completion));
  const logits = atPlaces(await alignedLogits(reasoner, weaver, rows, mask), places, reasoner.config.vocabularySize);
  const want = await io.floats('logits_completion');
  compare.numbers(
    'logits',
    atRealTokens(logits, completionMask),
    atRealTokens(want, completionMask),
    tolerances.logits,
  );
}

export interface GradientComparison {
  compare: Comparison;
  models: GoldenWeaver;
  gradients: ReadonlyMap<tf.Variable, tf.Tensor>;
  /** Holds the recorded gradients as prefix + official name. */
  want: GoldenTensors;
  prefix: string;
  /** Told behind the names of what is compared. */
  suffix?: string;
}

/** Every parameter of the weaver; one that has no recorded gradient must have none, or zeros, here. */
export async function compareGradients({
  compare,
  models,
  gradients,
  want,
  prefix,
  suffix = '',
}: GradientComparison): Promise<void> {
  const named = new Map<string, tf.Tensor>();
  for (const [name, variable] of models.weaver.parameters()) {
    const gradient = gradients.get(variable);
    if (gradient !== undefined) named.set(name, gradient);
  }
  const got = await readWeaverTensors(named);
  for (const [name, official] of models.officialNames) {
    const label = `gradient of ${name}${suffix}`;
    const found = got.get(name);
    if (!want.has(prefix + official)) {
      if (found?.data.some((value) => value !== 0) === true) compare.fail(label, 'the reference has no such gradient');
    } else if (found === undefined) {
      compare.fail(label, 'there is no gradient');
    } else {
      compare.numbers(label, found.data, await want.floats(prefix + official), tolerances.gradient);
    }
  }
}

function paddedLabels(rows: readonly WovenBatchRow[], mask: readonly (readonly number[])[]): number[][] {
  return rows.map(({ labels, columns }, b) => {
    const padded = mask[b]!.map(() => ignoredLabel);
    columns.forEach((column, i) => {
      padded[column] = labels[i]!;
    });
    return padded;
  });
}

/** Logits `[rows * columns, vocabulary]` without those before a latent, aligned with the padded batch; zero at padding. */
export async function alignedLogits(
  reasoner: Decoder,
  weaver: Weaver,
  rows: readonly WovenBatchRow[],
  mask: readonly (readonly number[])[],
): Promise<Float32Array> {
  const width = mask[0]!.length;
  const size = reasoner.config.vocabularySize;
  const aligned = new Float32Array(mask.length * width * size);
  const tape = new Tape();
  try {
    const forward = wovenForward(reasoner, rows, { execution: tape, weaver });
    const parts = {
      prompt: await valuesOf(() => reasoner.logits(forward.prompt)),
      completion: await valuesOf(() => reasoner.logits(forward.completion)),
    };
    rows.forEach(({ columns }, row) => {
      columns.forEach((column, index) => {
        const { part, at } = forward.locate(row, index);
        aligned.set(parts[part].subarray(at * size, (at + 1) * size), (row * width + column) * size);
      });
    });
  } finally {
    tape.dispose();
  }
  return aligned;
}
