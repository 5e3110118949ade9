// The example of a trigger: it passes the suite and decides in generation by what was written.
import { Random } from '@memgen/common';
import { generate, loadReasoner, startBackend } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import { triggerConformance } from '@memgen/trigger/test';
import { afterAll, describe, expect, it } from 'vitest';
import { PrefixWeaver } from './prefix-weaver.js';
import { QuestionTrigger } from './question-trigger.js';

await startBackend({ backend: 'wasm' });
const reasoner = await loadReasoner(modelFolder());
const { decoder, tokenizer } = reasoner;

afterAll(() => {
  decoder.dispose();
});

describe('QuestionTrigger', () => {
  const create = () => new QuestionTrigger(tokenizer);
  const load = (folder: string) => QuestionTrigger.load(folder, tokenizer);
  const { vocabularySize } = decoder.config;
  for (const { name, run } of triggerConformance({ create, load, vocabularySize })) it(name, run);

  it('has latents woven in where a question was asked, and nowhere else', async () => {
    const weaver = PrefixWeaver.initialize(decoder, { prompt: 4, inference: 2 }, Random.fromSeed(1));
    const prompts = ['How much is a bowl?', 'Tell me the price of a bowl.'].map((text) =>
      tokenizer.encode(`<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`),
    );
    const rows = await generate(reasoner, prompts, { maxNewTokens: 16, weaver, trigger: create() });
    expect(rows.map(({ augmentations }) => augmentations[0])).toEqual([1, 0]);
    for (const [row, { ids, augmentations }] of rows.entries()) {
      const texts = ids.map((_, i) => tokenizer.decode([...prompts[row]!, ...ids.slice(0, i)]));
      const expected = texts.map((text) => (text.includes('?') ? 1 : 0));
      expect(augmentations.map((place, i) => (place === -100 ? expected[i] : place))).toEqual(expected);
    }
    weaver.dispose();
  });
});
