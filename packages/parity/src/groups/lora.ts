// Group b: adapters as peft writes them, beside the base weights and merged into them.
import {
  importAdapter,
  languageModelLoss,
  mergeAdapter,
  mergedWeights,
  readPeftAdapter,
  valuesOf,
  type Decoder,
  type LoraAdapter,
  type PeftAdapter,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { atRealTokens, realTokens } from '../padded-rows.js';

const meta = z.object({ loss: z.number() });

export async function checkLora(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { loss } = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const peft = await readPeftAdapter(golden.path('adapter'));
  const base = await golden.decoder(golden.path('model'));
  const adapter = golden.own(importAdapter(base.config, peft, golden.path('adapter')));
  const merged = golden.own(await mergeAdapter(base, adapter));

  const batch = { ids: await io.rows('input_ids'), mask: await io.rows('attention_mask') };
  const want = async (name: string) => atRealTokens(await io.floats(name), batch.mask);
  compare.numbers('logits of the base', await logitsOf(base, batch), await want('logits_base'), tolerances.logits);
  compare.numbers(
    'logits with the adapter',
    await logitsOf(base, batch, adapter),
    await want('logits_adapter'),
    tolerances.logits,
  );
  compare.numbers(
    'logits of the merged model',
    await logitsOf(merged, batch),
    await want('logits_merged'),
    tolerances.logits,
  );
  await compareMerged(golden, io, peft, compare);
  await compareLoss({ base, adapter, batch, io, loss, compare });
}

interface Batch {
  ids: number[][];
  mask: number[][];
}

/** Logits of real tokens. */
async function logitsOf(decoder: Decoder, { ids, mask }: Batch, adapter?: LoraAdapter): Promise<Float32Array> {
  const cache = decoder.createCache(ids.length, 'parts');
  const logits = await valuesOf(() =>
    decoder.logits(
      decoder.forward(decoder.embed(ids.flat()), mask, { cache, ...(adapter && { adapter: { adapter } }) }),
    ),
  );
  return atRealTokens(logits, mask);
}

async function compareLoss({
  base,
  adapter,
  batch,
  io,
  loss: wantLoss,
  compare,
}: {
  base: Decoder;
  adapter: LoraAdapter;
  batch: Batch;
  io: GoldenTensors;
  loss: number;
  compare: Comparison;
}): Promise<void> {
  const labels = await io.rows('labels');
  const sequences = realTokens(batch.ids, batch.mask).map(({ ids, columns }, b) => ({
    ids,
    labels: columns.map((column) => labels[b]![column]!),
  }));
  const { value, grads } = tf.variableGrads(() => {
    const { loss, tokens } = languageModelLoss(base, sequences, { adapter });
    return tf.div(loss, tokens).asScalar();
  }, [...adapter.parameters().values()]);
  compare.numbers('loss', await value.data(), [wantLoss], tolerances.loss);
  value.dispose();
  for (const [name, variable] of adapter.parameters()) {
    const gradient = grads[variable.name]!;
    const want = await io.floats(`grad.base_model.model.model.${name}.default.weight`);
    compare.numbers(`gradient of ${name}`, await valuesOf(() => tf.transpose(gradient)), want, tolerances.gradient);
    gradient.dispose();
  }
}

/** The recorded merged weights. */
async function compareMerged(
  golden: GoldenCase,
  io: GoldenTensors,
  peft: PeftAdapter,
  compare: Comparison,
): Promise<void> {
  const source = await golden.tensors('model');
  const merged = mergedWeights(source.file, peft, golden.path('adapter'));
  for (const recorded of io.names.filter((name) => name.startsWith('merged.'))) {
    const name = recorded.slice('merged.'.length);
    const got = await (merged.get(name)?.() ?? source.file.readFloat32(name));
    compare.numbers(recorded, got, await io.floats(recorded), tolerances.stored);
  }
}
