// The example of a weaver: it passes the suite, learns with the trainer of @memgen/sft, and serves generation.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import {
  evaluationLoss,
  generate,
  loadReasoner,
  openMemGen,
  prepareRow,
  saveMemGen,
  startBackend,
  type Weaver,
} from '@memgen/core';
import { trainWeaver } from '@memgen/sft';
import { createShop, modelFolder } from '@memgen/tiny-reasoner';
import { weaverConformance } from '@memgen/weaver/test';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { PrefixWeaver } from './prefix-weaver.js';

await startBackend({ backend: 'wasm' });
const reasoner = await loadReasoner(modelFolder());
const { decoder, tokenizer } = reasoner;
const reasonerHidden = decoder.config.hiddenSize;
const create = () => PrefixWeaver.initialize(decoder, { prompt: 8, inference: 4 }, Random.fromSeed(1));

afterAll(() => {
  decoder.dispose();
});

describe('PrefixWeaver', () => {
  const load = (folder: string) => PrefixWeaver.load(folder, reasonerHidden);
  for (const { name, run } of weaverConformance({ create, load, reasonerHidden })) it(name, run);

  it('learns, is kept in a checkpoint, and changes what is generated', async () => {
    const before = tf.memory().numTensors;
    const rows = createShop({ seed: 1 })
      .trainingRows(8)
      .map(({ messages }) => prepareRow(messages, { tokenizer, maxInferencePoints: 1 }));
    const weaver = create();
    const { loss } = await evaluationLoss(decoder, rows, weaver);
    await trainWeaver(decoder, weaver, rows, {
      steps: 4,
      batchSize: rows.length,
      schedule: { kind: 'constant', peak: 0.1 },
    });
    expect((await evaluationLoss(decoder, rows, weaver)).loss).toBeLessThan(0.7 * loss);

    const folder = await mkdtemp(join(tmpdir(), 'memgen-prefix-'));
    await saveMemGen(folder, { reasoner: reasoner.origin, weaver });
    const loaded = await PrefixWeaver.load(
      (await openMemGen(folder, reasoner.origin)).folderOf('weaver'),
      reasonerHidden,
    );
    await rm(folder, { recursive: true });

    const prompts = ['How much is a bowl?', 'Who sells lamps?'].map((question) =>
      tokenizer.encode(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`),
    );
    const write = (weaver?: Weaver) => generate(reasoner, prompts, { maxNewTokens: 12, weaver, decoding: 'backend' });
    const woven = await write(weaver);
    expect(await write(loaded)).toEqual(woven);
    expect(woven.map(({ augmentations }) => augmentations[0])).toEqual([1, 1]);
    expect(woven.map(({ ids }) => ids)).not.toEqual((await write()).map(({ ids }) => ids));
    loaded.dispose();
    weaver.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
