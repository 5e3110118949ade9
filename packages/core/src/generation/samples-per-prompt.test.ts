// Several continuations of a prompt, and what a row draws: seeds, batches, weavers, triggers.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/language-model-trigger.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import type { GenerateOptions } from './generate-options.js';
import { generate } from './generate.js';
import { GenerationBatch } from './generation-batch.js';
import { tinyLora, useTinyModels } from './tiny-models.test-helper.js';

const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));
const prompts = [randomIds(9, 1), randomIds(3, 2), randomIds(20, 3)];
const sampling = { temperature: 4 };
const modes = ['step', 'backend'] as const;
const seeds = [11, 12, 13, 14, 15, 16, 17, 18, 19];

function run(chosen: readonly (readonly number[])[], options: Partial<GenerateOptions>) {
  return generate(models, chosen, { maxNewTokens: 24, endIds: [0, 6], ...options });
}

describe.each(modes)('a row with a seed, decoded by %s', (decoding) => {
  it.each(['alone', 'woven', 'triggered'])('draws the same alone, in any batch and at any place: %s', async (kind) => {
    const { weaver, trigger } = models;
    const extra = {
      ...(kind !== 'alone' && { weaver }),
      ...(kind === 'triggered' && { trigger, triggerTemperature: 2 }),
    };
    const options = { decoding, sampling, ...extra };
    const together = await run(prompts, { ...options, seeds: [5, 6, 7] });
    for (const [row, prompt] of prompts.entries()) {
      expect(await run([prompt], { ...options, seeds: [5 + row] })).toEqual([together[row]]);
    }
    const turned = await run([prompts[2]!, prompts[0]!, prompts[1]!], { ...options, seeds: [7, 5, 6] });
    expect(turned).toEqual([together[2], together[0], together[1]]);
    expect(await run([prompts[0]!], { ...options, seeds: [8] })).not.toEqual([together[0]]);
  });
});

describe.each(modes)('samples of a prompt, decoded by %s', (decoding) => {
  it('are those of separate prompts when greedy', async () => {
    const { weaver } = models;
    for (const extra of [{}, { weaver }]) {
      const once = await run(prompts, { decoding, ...extra });
      const thrice = await run(prompts, { decoding, ...extra, samplesPerPrompt: 3 });
      expect(thrice).toEqual(once.flatMap((row) => [row, row, row]));
    }
  });

  it.each<[string, (() => Partial<GenerateOptions>) | undefined]>([
    ['plain', undefined],
    ['woven', () => ({ weaver: models.weaver })],
    ['triggered', () => ({ weaver: models.weaver, trigger: models.trigger })],
    ['drawn triggers', () => ({ weaver: models.weaver, trigger: models.trigger, triggerTemperature: 5 })],
    ['adapted', () => ({ adapter: models.adapter, weaver: models.weaver })],
  ])('are those of separate prompts with the same seeds, and with the same random: %s', async (name, extra) => {
    const options = { decoding, sampling, maxNewTokens: 30, ...extra?.() };
    const repeated = prompts.flatMap((prompt) => [prompt, prompt, prompt]);
    const shared = await run(prompts, { ...options, seeds, samplesPerPrompt: 3 });
    expect(shared).toEqual(await run(repeated, { ...options, seeds }));
    expect(new Set(shared.slice(0, 3).map(({ text }) => text)).size).toBe(3);
    const random = Random.fromSeed(3);
    expect(await run(prompts, { ...options, random, samplesPerPrompt: 3 })).toEqual(await run(repeated, { ...options, random })); // prettier-ignore
    if (name !== 'drawn triggers') return;
    // Samples of one prompt have decided differently about it.
    const first = shared.map(({ augmentations }) => augmentations[0]!);
    expect([0, 3, 6].some((start) => new Set(first.slice(start, start + 3)).size === 2)).toBe(true);
  });

  it('read their prompt once', async () => {
    const sizes: number[] = [];
    const read = GenerationBatch.prototype.read; // eslint-disable-line @typescript-eslint/unbound-method -- called with its object below
    GenerationBatch.prototype.read = function (this: GenerationBatch, ...columns: Parameters<typeof read>) {
      sizes.push(this.size);
      return read.apply(this, columns);
    };
    try {
      await run(prompts, { decoding, weaver: models.weaver, samplesPerPrompt: 2, maxNewTokens: 2, endIds: [] });
    } finally {
      GenerationBatch.prototype.read = read;
    }
    expect(sizes).toEqual([3, 6]);
  });
});
