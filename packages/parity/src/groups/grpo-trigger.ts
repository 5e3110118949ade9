// Group f, trigger: log-probabilities of recorded decisions under three triggers, losses and gradients of the objective.
import { valuesOf, type ArrayWithShape } from '@memgen/core';
import { triggerLogProbabilities, triggerObjective, type DecidedText } from '@memgen/grpo';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { openTrigger } from '../golden-trigger.js';
import { adapterConfig } from '../golden-weaver.js';
import { realTokens } from '../padded-rows.js';
import {
  checkAdvantages,
  compareObjective,
  grpoSettings,
  joined,
  maskedRows,
  recordedObjectives,
} from './grpo-results.js';

const meta = grpoSettings.extend({ temperature_used_in_logps: z.boolean() });

export async function checkTriggerGrpo(golden: GoldenCase, compare: Comparison): Promise<void> {
  const settings = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const advantages = await checkAdvantages(settings, io, compare);
  const base = await golden.decoder(golden.modelFolder(settings.reasoner));
  const lora = adapterConfig(settings.lora);
  const open = async (state: string) =>
    openTrigger(golden, base, lora, await golden.tensors(`state_${state}.safetensors`));
  const texts = await decidedTexts(io);
  const decided = (await io.rows('augmentation_mask')).map((row) => row.map((entry) => (entry === -100 ? 0 : 1)));

  const temperature = settings.temperature_used_in_logps ? settings.temperature : 1;
  // Unlike in generation, the reference hides no token from the trigger here: its mask is that of the batch.
  const policy = { temperature, padId: undefined };
  const logProbabilities = async (state: string, tensor: string): Promise<Float64Array[]> => {
    const { trigger } = await open(state);
    const { logProbabilities: got } = await triggerLogProbabilities(texts, { trigger, ...policy });
    const want = maskedRows(await io.floats(tensor), decided);
    compare.numbers(`log-probabilities of "${state}"`, joined(got), joined(want), tolerances.logits);
    return got;
  };
  const old = await logProbabilities('old', 'old_logps');
  const reference = await logProbabilities('ref', 'ref_logps');
  await logProbabilities('current', 'current_per_token_logps');

  const { trigger, officialNames } = await open('current');
  const want = await golden.tensors('trigger_grads.safetensors');
  for (const { name, options, hasOld } of recordedObjectives(settings, compare)) {
    const rows = texts.map((text, b) => ({
      text,
      advantage: advantages[b]!,
      old: hasOld ? old[b] : undefined,
      reference: reference[b],
    }));
    const { loss, metrics, gradients } = await triggerObjective(rows, { trigger, ...policy, ...options });
    try {
      const official = new Map<string, ArrayWithShape>();
      for (const [parameter, variable] of trigger.parameters()) {
        const gradient = gradients.get(variable);
        if (gradient === undefined) continue;
        const data = await valuesOf(() => (gradient.rank === 2 ? tf.transpose(gradient) : gradient.clone()));
        official.set(officialNames.get(parameter)!, { shape: [...gradient.shape].reverse(), data });
      }
      await compareObjective({ settings, compare, name, want, got: { loss, metrics, gradients: official } });
    } finally {
      tf.dispose([...gradients.values()]);
    }
  }
}

/** Prompts and completions without padding, and the decisions in the completions. */
async function decidedTexts(io: GoldenTensors): Promise<DecidedText[]> {
  const prompts = realTokens(await io.rows('prompt_ids'), await io.rows('prompt_mask'));
  const completions = realTokens(await io.rows('completion_ids'), await io.rows('completion_mask'));
  const augmentation = await io.rows('augmentation_mask');
  return prompts.map((prompt, b) => ({
    ids: [...prompt.ids, ...completions[b]!.ids],
    decisions: augmentation[b]!.flatMap((entry, t) =>
      entry === -100 ? [] : [{ index: prompt.ids.length + t, weave: entry === 1 }],
    ),
  }));
}
