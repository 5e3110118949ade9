// Group i, plain: the model's own chat template, greedy text and the logits of its first token.
import { argmax, ChatTemplate, generate } from '@memgen/core';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { checksum, checksumLimits, checksumSchema } from './checksum.js';
import { smollm2Of } from './smollm2-model.js';

const plainCases = z.array(
  z.object({
    prompt: z.string(),
    ids: z.array(z.number()),
    generated: z.array(z.number()),
    text: z.string(),
    top20_ids: z.array(z.number()),
    top20_logits: z.array(z.number()),
    logits_checksum: checksumSchema,
  }),
);

/** Most tokens that the reference was asked for. */
const maxNewTokens = 48;

export async function checkSmollm2Plain(golden: GoldenCase, compare: Comparison): Promise<void> {
  const cases = await golden.json(plainCases, '..', 'plain.json');
  const reasoner = await smollm2Of(golden);
  const { tokenizer } = reasoner;
  for (const [index, want] of cases.entries()) {
    const part = (name: string): string => `${name} of prompt ${index}`;
    const prompt = ChatTemplate.ofTokenizer(tokenizer).render([{ role: 'user', content: want.prompt }], {
      addGenerationPrompt: true,
    });
    compare.exact(part('ids'), tokenizer.encode(prompt), want.ids);
    let logits = new Float32Array();
    const rows = await generate(reasoner, [want.ids], {
      maxNewTokens,
      _onLogits: (step, _, values) => {
        if (step === 0) logits = values.slice();
      },
    });
    compare.exact(part('generated ids'), rows[0]!.ids, want.generated);
    compare.exact(part('text'), tokenizer.decode(rows[0]!.ids), want.text);
    compare.exact(part('likeliest ids'), likeliest(logits, want.top20_ids.length), want.top20_ids);
    const top = want.top20_ids.map((id) => logits[id]!);
    compare.numbers(part('likeliest logits'), top, want.top20_logits, tolerances.logits);
    compareLogitsChecksum(compare, part('checksum of the logits'), logits, want.logits_checksum);
  }
}

/** Ids of the largest logits, largest first. */
export function likeliest(logits: Float32Array, count: number): number[] {
  const left = logits.slice();
  return Array.from({ length: count }, () => {
    const id = argmax(left);
    left[id] = -Infinity;
    return id;
  });
}

/** All logits of one row, as sums and ends. @param allowed - difference of one logit. */
export function compareLogitsChecksum(
  compare: Comparison,
  name: string,
  logits: Float32Array,
  { sum, abs_sum, sq_sum, first, last }: z.infer<typeof checksumSchema>,
  allowed: number = tolerances.logits.absolute,
): void {
  const limits = new Float64Array(logits.length).fill(allowed);
  const want = [sum, abs_sum, sq_sum, ...first, ...last];
  compare.numbers(name, checksum(logits), want, checksumLimits(logits, limits));
}
