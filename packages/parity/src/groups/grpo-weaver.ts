// Group f, weaver: log-probabilities of completions under three weavers, losses and gradients of the objective.
import { ignoredLabel } from '@memgen/core';
import { completionLogProbabilities, weaverObjective } from '@memgen/grpo';
import { readWeaverTensors } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { openWeaver, type GoldenWeaver } from '../golden-weaver.js';
import { wovenBatch, type WovenBatchRow } from '../woven-batch.js';
import {
  checkAdvantages,
  compareObjective,
  grpoSettings,
  joined,
  maskedRows,
  recordedObjectives,
} from './grpo-results.js';

const meta = grpoSettings.extend({ max_inference_aug_num: z.number() });

export async function checkWeaverGrpo(golden: GoldenCase, compare: Comparison): Promise<void> {
  const settings = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const advantages = await checkAdvantages(settings, io, compare);
  const open = async (state: string) =>
    openWeaver(
      golden,
      { ...settings, weaver_base: settings.reasoner },
      await golden.tensors(`state_${state}.safetensors`),
    );
  const models = await open('current');
  const rows = await completionRows(io, models, settings.max_inference_aug_num);
  const mask = await io.rows('completion_mask');
  for (const name of ['old_supervise_mask', 'ref_mask', 'current_supervise_mask']) {
    const width = (await io.rows('prompt_ids'))[0]!.length;
    compare.exact(name, supervised(rows, width, mask[0]!.length), await io.rows(name));
  }

  const { temperature } = settings;
  const logProbabilities = async (state: string, tensor: string): Promise<Float32Array[]> => {
    const { reasoner, weaver } = await open(state);
    const { logProbabilities: got } = await completionLogProbabilities(reasoner, rows, { weaver, temperature });
    const want = maskedRows(await io.floats(tensor), mask);
    compare.numbers(`log-probabilities of "${state}"`, joined(got), joined(want), tolerances.logits);
    return got;
  };
  const old = await logProbabilities('old', 'old_per_token_logps');
  const reference = await logProbabilities('ref', 'ref_logps');
  await logProbabilities('current', 'current_per_token_logps');

  const want = await golden.tensors('weaver_grads.safetensors');
  for (const { name, options, hasOld } of recordedObjectives(settings, compare)) {
    const policyRows = rows.map((sequence, b) => ({
      sequence,
      advantage: advantages[b]!,
      old: hasOld ? old[b] : undefined,
      reference: reference[b],
    }));
    const { reasoner, weaver } = models;
    const { loss, metrics, gradients } = await weaverObjective(reasoner, policyRows, {
      weaver,
      temperature,
      ...options,
    });
    try {
      const got = { loss, metrics, gradients: await officialGradients(models, gradients) };
      await compareObjective({ settings, compare, name, want, got });
    } finally {
      tf.dispose([...gradients.values()]);
    }
  }
}

/** Prompts and completions as training rows: what the completion's mask covers is labelled. */
async function completionRows(
  io: GoldenTensors,
  { tokenizer }: GoldenWeaver,
  maxInferencePoints: number,
): Promise<WovenBatchRow[]> {
  const [prompts, promptMask] = [await io.rows('prompt_ids'), await io.rows('prompt_mask')];
  const [completions, mask] = [await io.rows('completion_ids'), await io.rows('completion_mask')];
  const labels = completions.map((ids, b) => ids.map((id, t) => (mask[b]![t] === 1 ? id : ignoredLabel)));
  const batch = {
    ids: prompts.map((row, b) => [...row, ...completions[b]!]),
    mask: promptMask.map((row, b) => [...row, ...mask[b]!]),
    labels: prompts.map((row, b) => [...row.map(() => ignoredLabel), ...labels[b]!]),
  };
  return wovenBatch(batch, { tokenizer, maxInferencePoints });
}

/** 1 at each column of the completions that is supervised. */
function supervised(rows: readonly WovenBatchRow[], promptWidth: number, width: number): number[][] {
  return rows.map(({ labels, columns }) => {
    const flags = Array.from({ length: width }, () => 0);
    columns.forEach((column, i) => {
      if (labels[i] !== ignoredLabel) flags[column - promptWidth] = 1;
    });
    return flags;
  });
}

async function officialGradients(
  { weaver, officialNames }: GoldenWeaver,
  gradients: ReadonlyMap<tf.Variable, tf.Tensor>,
) {
  const named = [...weaver.parameters()].flatMap(([name, variable]): [string, tf.Tensor][] => {
    const gradient = gradients.get(variable);
    return gradient === undefined ? [] : [[name, gradient]];
  });
  const read = await readWeaverTensors(new Map(named));
  return new Map([...read].map(([name, values]) => [officialNames.get(name)!, values]));
}
