// Group d: greedy generation with latents woven in, at every point or where a trigger says so.
import { generate, valuesOf, type Decoder, type GeneratedRow, type Trigger } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { openTrigger } from '../golden-trigger.js';
import { adapterConfig, openWeaver, weavingModels } from '../golden-weaver.js';
import { atPlaces, realTokens } from '../padded-rows.js';

const meta = weavingModels.extend({
  trigger_active: z.boolean(),
  trigger_base: z.string(),
  config: z.object({ max_inference_aug_num: z.number() }),
  max_new_tokens: z.number(),
  eos_token_id: z.number(),
});

/** The reference lets rows that have ended go on; they are compared up to their first end token. */
export async function checkGeneration(golden: GoldenCase, compare: Comparison): Promise<void> {
  const settings = await golden.json(meta, 'meta.json');
  const { reasoner, tokenizer, weaver } = await openWeaver(golden, settings, await golden.tensors('state.safetensors'));
  const trigger = settings.trigger_active ? await activeTrigger(golden, settings, reasoner) : undefined;
  const io = await golden.tensors('io.safetensors');
  const ids = await io.rows('input_ids');
  const width = ids[0]!.length;
  const want = (await io.rows('output_ids')).map((row) => row.slice(width));
  const steps = want[0]!.length;
  const lengths = want.map((row) => {
    const end = row.indexOf(settings.eos_token_id);
    return end < 0 ? row.length : end + 1;
  });

  const logitsAt = new Map<number, { rows: readonly number[]; logits: tf.Tensor2D }>();
  const rows = await generate(
    { decoder: reasoner, tokenizer },
    realTokens(ids, await io.rows('attention_mask')).map((row) => row.ids),
    {
      maxNewTokens: settings.max_new_tokens,
      endIds: [settings.eos_token_id],
      weaver,
      trigger,
      maxInferencePoints: settings.config.max_inference_aug_num,
      _onLogits: (step, rows, logits) => {
        if (step === 0 || step === steps - 1) {
          logitsAt.set(step, {
            rows,
            logits: golden.own(tf.tensor2d(logits.slice(), [rows.length, logits.length / rows.length])),
          });
        }
      },
    },
  );

  const augmentations = await io.rows('augmentation_pos');
  const upToEnd = <T>(lists: readonly (readonly T[])[]) => lists.map((list, b) => list.slice(0, lengths[b]));
  compare.exact(
    'generated ids',
    rows.map((row) => row.ids),
    upToEnd(want),
  );
  compare.exact(
    'augmentation points',
    rows.map((row) => row.augmentations),
    upToEnd(augmentations),
  );
  const finished = want.map((row): GeneratedRow['finished'] =>
    row.includes(settings.eos_token_id) ? 'end' : 'length',
  );
  compare.exact(
    'ends',
    rows.map((row) => row.finished),
    finished,
  );

  const all = lengths.map((_, b) => b);
  // Only rows that have not ended before the last step are still computed then.
  const going = all.filter((b) => lengths[b] === steps);
  for (const { name, step, rows } of [
    { name: 'first_step_logits', step: 0, rows: all },
    { name: 'last_step_logits', step: steps - 1, rows: going },
  ]) {
    const found = logitsAt.get(step);
    const got = found === undefined ? new Float32Array() : await valuesOf(() => found.logits.clone());
    const size = reasoner.config.vocabularySize;
    const places = rows.map((row) => found?.rows.indexOf(row) ?? -1);
    compare.numbers(
      name.replaceAll('_', ' '),
      atPlaces(got, places, size),
      atPlaces(await io.floats(name), rows, size),
      tolerances.logits,
    );
  }
}

async function activeTrigger(
  golden: GoldenCase,
  { reasoner: reasonerName, trigger_base, lora }: z.infer<typeof meta>,
  reasoner: Decoder,
): Promise<Trigger> {
  const base = trigger_base === reasonerName ? reasoner : await golden.decoder(golden.modelFolder(trigger_base));
  const state = await golden.tensors('state.safetensors');
  return (await openTrigger(golden, base, adapterConfig(lora), state)).trigger;
}
