// Group c, conv_*: the training forward of conversations, of all turns or of turns that were drawn.
import { evaluationLoss, ignoredLabel, trainingLoss } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { openWeaver } from '../golden-weaver.js';
import { atPlaces } from '../padded-rows.js';
import { pointColumns, wovenTurns } from '../woven-batch.js';
import { alignedLogits, compareGradients } from './instruction.js';
import { layoutOf } from './memgen-layout.js';

const meta = z.object({
  loss: z.number(),
  config: z.object({ max_inference_aug_num: z.number() }),
  augmentation_points: z.array(z.array(z.number())),
});

export async function checkConversation(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { loss: wantLoss, config, augmentation_points } = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const models = await openWeaver(golden, await layoutOf(golden), await golden.tensors('..', 'state.safetensors'));
  const mask = await io.rows('attention_mask');
  const turns = wovenTurns(
    { ids: await io.rows('input_ids'), mask, labels: await io.rows('labels_in') },
    { tokenizer: models.tokenizer, maxInferencePoints: config.max_inference_aug_num },
  );
  // Which turns the reference drew shows in what it supervised.
  const supervised = await io.rows('supervised_labels');
  const drawn = turns.filter(
    ({ row, points, columns }) => supervised[row]![columns[points[0]!.index]!] !== ignoredLabel,
  );
  compare.exact('augmentation points', pointColumns(drawn), augmentation_points);
  const labels = mask.map((row) => row.map(() => ignoredLabel));
  for (const { row, labels: own, columns } of drawn) {
    own.forEach((label, i) => {
      if (label !== ignoredLabel) labels[row]![columns[i]!] = label;
    });
  }
  compare.exact('supervised labels', labels, supervised);

  const { reasoner, weaver } = models;
  const size = reasoner.config.vocabularySize;
  const recorded = await io.floats('logits_at');
  const places = (await io.rows('logits_index')).map((place, at) => ({ row: place[0]!, column: place[1]!, at }));
  for (const turn of drawn) {
    // Places that predict a supervised token of this turn.
    const own = turn.columns.flatMap((column, i) => {
      const place = places.find((candidate) => candidate.row === turn.row && candidate.column === column);
      return place !== undefined && (turn.labels[i + 1] ?? ignoredLabel) !== ignoredLabel
        ? [{ column, at: place.at }]
        : [];
    });
    const logits = await alignedLogits(reasoner, weaver, [turn], [mask[turn.row]!]);
    const columns = own.map(({ column }) => column);
    const want = own.flatMap(({ at }) => [...recorded.subarray(at * size, (at + 1) * size)]);
    const name = `logits of row ${turn.row}, turn at ${turn.points[0]!.index}`;
    compare.numbers(name, atPlaces(logits, columns, size), want, tolerances.logits);
  }

  const evaluated = await evaluationLoss(reasoner, drawn, weaver);
  compare.numbers('loss (evaluation)', [evaluated.loss], [wantLoss], tolerances.loss);
  for (const gradientCheckpointing of [true, false]) {
    const suffix = gradientCheckpointing ? ' (checkpointed)' : '';
    const { loss, gradients } = await trainingLoss(reasoner, drawn, { weaver, gradientCheckpointing });
    compare.numbers(`loss${suffix}`, [loss], [wantLoss], tolerances.loss);
    try {
      await compareGradients({ compare, models, gradients, want: io, prefix: 'grad.', suffix });
    } finally {
      tf.dispose([...gradients.values()]);
    }
  }
}
