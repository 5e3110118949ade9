// A trainable copy computes what the frozen decoder computes, to the bit, and is a model of its own.
import { generate, loadReasoner, startBackend } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import { expect, it } from 'vitest';
import { trainableCopy } from './trainable-copy.js';

it('writes what the decoder writes, with the same probabilities', async () => {
  await startBackend({ backend: 'wasm' });
  const reasoner = await loadReasoner(modelFolder());
  const copy = await trainableCopy(reasoner.decoder);
  const prompts = [reasoner.tokenizer.encode('<|im_start|>user\nWhat is 3 + 4?<|im_end|>\n<|im_start|>assistant\n')];
  const options = { maxNewTokens: 8, logProbabilities: true, decoding: 'backend' } as const;
  const [own] = await generate(reasoner, prompts, options);
  const [copied] = await generate({ ...reasoner, decoder: copy }, prompts, options);
  expect(copied!.ids).toEqual(own!.ids);
  copied!.logProbabilities!.forEach((value, i) => {
    expect(value).toBeCloseTo(own!.logProbabilities![i]!, 4);
  });
  copy.dispose();
  reasoner.decoder.dispose();
});
