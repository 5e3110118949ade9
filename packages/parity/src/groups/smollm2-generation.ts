// Group i, memgen_generate_*: greedy generation of the real model with latents woven in, with and without a trigger.
import { generate } from '@memgen/core';
import { z } from 'zod';
import type { Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { openTrigger } from '../golden-trigger.js';
import { makeWeaver } from '../golden-weaver.js';
import { realTokens } from '../padded-rows.js';
import { checksumSchema } from './checksum.js';
import { smollm2Lora, smollm2Of, Smollm2Trainables, wovenTolerances } from './smollm2-model.js';
import { compareLogitsChecksum, likeliest } from './smollm2-plain.js';

const ids = z.array(z.array(z.number()));
const recorded = z.object({
  config: z.object({ max_inference_aug_num: z.number(), trigger: z.object({ active: z.boolean() }) }),
  cases: z.array(
    z.object({
      prompts: z.array(z.string()),
      input_ids: ids,
      attention_mask: ids,
      generated: ids,
      augmentation_pos: ids,
      first_step_logits_checksum: z.array(checksumSchema),
      first_step_top5: ids,
      first_step_top5_logits: ids,
    }),
  ),
});

export async function checkSmollm2Generation(golden: GoldenCase, compare: Comparison): Promise<void> {
  const name = golden.name.split('/').at(-1)!;
  const { config, cases } = await golden.json(recorded, '..', `${name}.json`);
  const reasoner = await smollm2Of(golden);
  const { decoder, tokenizer } = reasoner;
  const trainables = new Smollm2Trainables();
  const { weaver } = await makeWeaver(golden, decoder, smollm2Lora, trainables);
  const { trigger } = config.trigger.active
    ? await openTrigger(golden, decoder, smollm2Lora, trainables)
    : { trigger: undefined };

  for (const [index, want] of cases.entries()) {
    const part = (what: string): string => `${what} of batch ${index}`;
    const prompts = realTokens(want.input_ids, want.attention_mask).map((row) => row.ids);
    compare.exact(
      part('ids'),
      want.prompts.map((prompt) => tokenizer.encode(prompt)),
      prompts,
    );
    let logits = new Float32Array();
    const rows = await generate(reasoner, prompts, {
      maxNewTokens: want.generated[0]!.length,
      weaver,
      trigger,
      maxInferencePoints: config.max_inference_aug_num,
      _onLogits: (step, _, values) => {
        if (step === 0) logits = values.slice();
      },
    });
    // The reference lets rows that have ended go on.
    const lengths = rows.map((row) => row.ids.length);
    const upToEnd = (lists: readonly number[][]): number[][] => lists.map((list, b) => list.slice(0, lengths[b]));
    compare.exact(
      part('generated ids'),
      rows.map((row) => row.ids),
      upToEnd(want.generated),
    );
    compare.exact(
      part('augmentation points'),
      rows.map((row) => row.augmentations),
      upToEnd(want.augmentation_pos),
    );
    const width = logits.length / prompts.length;
    prompts.forEach((_, b) => {
      const row = logits.subarray(b * width, (b + 1) * width);
      const top = want.first_step_top5[b]!;
      compare.exact(part(`likeliest ids of row ${b}`), likeliest(row, top.length), top);
      const got = top.map((id) => row[id]!);
      compare.numbers(
        part(`likeliest logits of row ${b}`),
        got,
        want.first_step_top5_logits[b]!,
        wovenTolerances.logits,
      );
      const sums = want.first_step_logits_checksum[b]!;
      compareLogitsChecksum(compare, part(`logits of row ${b}`), row, sums, wovenTolerances.logits.absolute);
    });
  }
}
