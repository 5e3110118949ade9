// Group a: logits of plain models, in one pass and token by token over a cache.
import { argmax, AttentionColumns, valuesOf, type Decoder, type MaskRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { atRealTokens } from '../padded-rows.js';

const meta = z.object({ inv_freq: z.array(z.number()), rope_attention_scaling: z.number() });

export async function checkModel(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { inv_freq, rope_attention_scaling } = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const decoder = await golden.decoder(golden.path('model'));
  const { rotary } = decoder.config;
  compare.numbers('rotation frequencies', rotary.inverseFrequencies, inv_freq, tolerances.stored);
  compare.numbers('rotary scaling', [rotary.attentionScaling], [rope_attention_scaling], tolerances.stored);

  const ids = await io.rows('input_ids');
  const mask = await io.rows('attention_mask');
  compare.exact('position ids', new AttentionColumns(ids.length).append(mask), await io.rows('position_ids'));

  const cache = golden.own(decoder.createCache(ids.length));
  const embeddings = golden.own(decoder.embed(ids.flat()));
  const hidden = golden.own(tf.tidy(() => decoder.forward(embeddings, mask, { cache })));
  const want = async (name: string) => atRealTokens(await io.floats(name), mask);
  const got = async (tensor: tf.Tensor) => atRealTokens(await valuesOf(() => tensor.clone()), mask);
  compare.numbers('embeddings', await got(embeddings), await firstHiddenStates(io, mask), tolerances.stored);
  compare.numbers('hidden states', await got(hidden), await want('last_hidden_state'), tolerances.logits);
  const logits = await valuesOf(() => decoder.logits(hidden));
  compare.numbers('logits', atRealTokens(logits, mask), await want('logits'), tolerances.logits);

  await checkDecoding({ decoder, cache, io, compare, lastLogits: lastColumn(logits, mask) });
}

/** `hidden_states[0]`, the embeddings. */
async function firstHiddenStates(io: GoldenTensors, mask: readonly MaskRow[]): Promise<Float32Array> {
  const all = await io.floats('hidden_states');
  return atRealTokens(all.subarray(0, all.length / io.shape('hidden_states')[0]!), mask);
}

/** Goes on with the recorded tokens, one column at a time; step 0 is the prefill's last column. */
async function checkDecoding({
  decoder,
  cache,
  io,
  compare,
  lastLogits,
}: {
  decoder: Decoder;
  cache: ReturnType<Decoder['createCache']>;
  io: GoldenTensors;
  compare: Comparison;
  lastLogits: Float32Array;
}): Promise<void> {
  const tokens = await io.rows('decode_tokens');
  const want = await io.floats('decode_logits');
  const batch = tokens.length;
  const steps = tokens[0]!.length;
  const width = decoder.config.vocabularySize;
  const got = new Float32Array(want.length);
  const chosen = tokens.map((): number[] => []);
  let logits = lastLogits;
  for (let step = 0; step < steps; step++) {
    for (let b = 0; b < batch; b++) {
      const row = logits.subarray(b * width, (b + 1) * width);
      got.set(row, (b * steps + step) * width);
      chosen[b]!.push(argmax(row));
    }
    if (step + 1 === steps) break;
    const column = tokens.map((row) => row[step]!);
    logits = await valuesOf(() =>
      decoder.logits(
        decoder.forward(
          decoder.embed(column),
          column.map(() => [1]),
          { cache },
        ),
      ),
    );
  }
  compare.numbers('logits of the cached decoding', got, want, tolerances.logits);
  compare.exact('greedy tokens', chosen, tokens);
}

/** Logits `[rows * columns, vocabulary]` of the last column of each row. */
function lastColumn(logits: Float32Array, mask: readonly MaskRow[]): Float32Array {
  const columns = mask[0]!.length;
  const width = logits.length / (mask.length * columns);
  const last = mask.map((_, b) => logits.subarray(((b + 1) * columns - 1) * width, (b + 1) * columns * width));
  return Float32Array.from(last.flatMap((row) => [...row]));
}
