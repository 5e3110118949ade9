// Rows that come to the end of the context: they end there, latents included, and prompts that do not fit are refused.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/language-model-trigger.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import type { GenerateOptions } from './generate-options.js';
import { generate } from './generate.js';
import { tinyLora, useTinyModels } from './tiny-models.test-helper.js';

/** The weaver has 3 latents for a prompt and 2 for a later point; the decoder has 128 positions. */
const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));

function run(prompts: readonly (readonly number[])[], options: Partial<GenerateOptions>) {
  return generate(models, prompts, { maxNewTokens: 200, endIds: [], ...options });
}

describe.each(['step', 'backend'] as const)('decoded by %s', (decoding) => {
  it('each row ends where its own context does, and says so', async () => {
    const prompts = [randomIds(9, 1), randomIds(3, 2)];
    const rows = await run(prompts, { decoding, contextLength: 20 });
    expect(rows.map(({ ids, finished }) => [ids.length, finished])).toEqual([
      [11, 'length'],
      [17, 'length'],
    ]);
    const further = await run(prompts, { decoding, maxNewTokens: 24, contextLength: Infinity });
    rows.forEach(({ ids }, i) => {
      expect(further[i]!.ids.slice(0, ids.length)).toEqual(ids);
    });
  });

  it('has the context of the model, unless told to go beyond', async () => {
    const [row] = await run([randomIds(120, 1)], { decoding });
    expect(row).toMatchObject({ finished: 'length', ids: { length: 8 } });
    const [longer] = await run([randomIds(120, 1)], { decoding, maxNewTokens: 12, contextLength: Infinity });
    expect(longer!.ids).toHaveLength(12);
    expect(longer!.ids.slice(0, 8)).toEqual(row!.ids);
  });

  it('counts latents, and weaves none that no token could follow', async () => {
    const prompt = randomIds(9, 1);
    const woven = async (contextLength: number) => {
      const [row] = await run([prompt], { decoding, contextLength, weaver: models.weaver, weaveAt: 'prompt' });
      return [row!.augmentations[0], row!.ids.length];
    };
    expect(await woven(20)).toEqual([1, 8]);
    expect(await woven(13)).toEqual([1, 1]);
    expect(await woven(12)).toEqual([-100, 3]);
    expect(await woven(10)).toEqual([-100, 1]);
  });
});

it('counts the latents of later points too', async () => {
  const { weaver } = models;
  const options = { weaver, maxInferencePoints: Infinity, delimiterRule: 'token' as const };
  for (const contextLength of [30, 31, 32, 33]) {
    const [row] = await run([randomIds(9, 1)], { contextLength, ...options });
    const later = row!.augmentations.filter((augmentation, i) => i > 0 && augmentation === 1).length;
    const taken = 9 + 3 + 2 * later + row!.ids.length;
    expect(taken).toBe(contextLength);
  }
});

it('refuses a prompt that no token can follow', async () => {
  const failure = { code: 'context-length', where: 'prompt 1', got: '128 tokens' };
  await expect(run([randomIds(3, 1), randomIds(128, 1)], {})).rejects.toMatchObject(failure);
});
