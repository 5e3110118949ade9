// Reading prompts: in chunks of columns as at once, and with an adapter over the reasoner.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/language-model-trigger.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { Decoder } from '../model/decoder.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import type { GenerateOptions } from './generate-options.js';
import { generate } from './generate.js';
import { tinyLora, useTinyModels } from './tiny-models.test-helper.js';

const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));
const prompts = [randomIds(23, 1), randomIds(5, 2), randomIds(12, 3)];
const modes = ['step', 'backend'] as const;

async function logitsOf(options: Partial<GenerateOptions>): Promise<Float32Array[]> {
  const steps: Float32Array[] = [];
  const _onLogits = (_step: number, _rows: readonly number[], logits: Float32Array) => steps.push(logits.slice());
  await generate(models, prompts, { maxNewTokens: 6, endIds: [], ...options, _onLogits });
  return steps;
}

describe('prompts read in chunks', () => {
  it.each([1, 4, 7, 22, 23])('of %i columns give what they give at once', async (prefillChunk) => {
    const { weaver, trigger } = models;
    for (const extra of [{}, { weaver }, { weaver, trigger }]) {
      const whole = await logitsOf(extra);
      const chunked = await logitsOf({ ...extra, prefillChunk });
      whole.forEach((logits, step) => {
        expect(relativeDifference(chunked[step]!, logits)).toBeLessThan(1e-5);
      });
    }
  });

  it('never see more columns at a time', async () => {
    const widths: number[] = [];
    const forward = Decoder.prototype.forward; // eslint-disable-line @typescript-eslint/unbound-method -- called with its object below
    Decoder.prototype.forward = function (this: Decoder, ...given: Parameters<typeof forward>) {
      widths.push(given[1][0]!.length);
      return forward.apply(this, given);
    };
    try {
      await logitsOf({ prefillChunk: 8, decoding: 'backend', maxNewTokens: 1 });
      const alone = widths.splice(0);
      await logitsOf({ prefillChunk: 8, decoding: 'backend', maxNewTokens: 1, weaver: models.weaver });
      expect(alone).toEqual([8, 8, 7]);
      // The weaver's queries and latents come on top.
      expect(Math.max(...widths)).toBeLessThanOrEqual(8 + 3);
    } finally {
      Decoder.prototype.forward = forward;
    }
  });
});

describe('an adapter over the reasoner', () => {
  it('changes what is generated, alike in both decodings, and only while it is in use', async () => {
    const { adapter, weaver } = models;
    for (const extra of [{}, { weaver }]) {
      const before = await logitsOf(extra);
      const [step, backend] = await Promise.all(modes.map((decoding) => logitsOf({ ...extra, decoding, adapter })));
      backend!.forEach((logits, i) => {
        expect(relativeDifference(step![i]!, logits)).toBeLessThan(1e-4);
      });
      expect(relativeDifference(backend![0]!, before[0]!)).toBeGreaterThan(1e-2);
      expect(await logitsOf(extra)).toEqual(before);
    }
  });
});
