import { Tokenizer } from '@memgen/core';
import { expect, it } from 'vitest';
import { goldenFixture } from './golden-fixture.test-helper.js';
import { pointColumns, wovenBatch, wovenBatchAt } from './woven-batch.js';

it('finds points and labels of padded rows and tells them as columns', async () => {
  const tokenizer = await Tokenizer.fromFolder(goldenFixture('models', 'llama-mem'));
  const [prompt, header, answer] = ['hi<|im_end|>\n', '<|im_start|>assistant\n', 'a, b.'].map((text) =>
    tokenizer.encode(text),
  );
  const padding = [0, 0, 0];
  const ids = [...padding, ...prompt!, ...header!, ...answer!, 0];
  const start = padding.length + prompt!.length;
  const mask = ids.map((_, t) => (t < padding.length || t === ids.length - 1 ? 0 : 1));
  const labels = ids.map((id, t) => (t >= start && mask[t] === 1 ? id : -100));
  const first = start + header!.length;

  const rows = wovenBatch({ ids: [ids], mask: [mask], labels: [labels] }, { tokenizer, maxInferencePoints: 5 });
  expect(rows[0]!.ids).toEqual(ids.slice(3, -1));
  expect(rows[0]!.labels.findIndex((label) => label >= 0)).toBe(first - 3);
  const comma = first + tokenizer.encode('a,').length;
  expect(pointColumns(rows)).toEqual([[first, comma]]);

  const supervised = labels.map((label, t) => (t < first ? -100 : label));
  expect(wovenBatchAt({ ids: [ids], mask: [mask], labels: [supervised] }, [[first, comma]])).toEqual(rows);
});
