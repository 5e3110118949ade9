// A trained model continues text with the step decoder as it does with tensors.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { argmax, generate } from '../generation/index.js';
import { loadReasoner } from '../reasoner/index.js';
import { StepDecoder } from './step-decoder.js';

const folder = fileURLToPath(new URL('../../../tiny-reasoner/model', import.meta.url));

it('chooses the same 20 tokens after prompts of different lengths', async () => {
  await startBackend({ backend: 'wasm' });
  const reasoner = await loadReasoner(folder);
  const step = await StepDecoder.create(reasoner.decoder);
  // The file holds bfloat16.
  expect(step.memoryBytes).toBeLessThan(0.7 * StepDecoder.memoryNeeded(step.config));

  const prompts = ['What is', 'The list is: 4, 8, 15, 16. The second', 'A'].map((text) =>
    reasoner.tokenizer.encode(text),
  );
  const expected = await generate(reasoner, prompts, { maxNewTokens: 20, endIds: [] });
  const cache = step.createCache(prompts.length);
  const rows: number[][] = prompts.map(() => []);
  let next: readonly number[][] = prompts;
  for (let token = 0; token < 20; token++) {
    const counts = next.map((ids) => ids.length);
    step.read(step.embed(next.flat()), counts, cache);
    const ends = counts.map((_, b) => counts.slice(0, b + 1).reduce((sum, count) => sum + count, 0) - 1);
    const logits = step.logits(ends);
    const size = step.config.vocabularySize;
    next = rows.map((row, b) => {
      row.push(argmax(logits.subarray(b * size, (b + 1) * size)));
      return [row.at(-1)!];
    });
  }
  expect(rows).toEqual(expected.map(({ ids }) => ids));
  step.dispose();
  reasoner.decoder.dispose();
});
