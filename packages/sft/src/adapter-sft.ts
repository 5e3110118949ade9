// Supervised fine-tuning of the reasoner by a LoRA adapter: the paper's baseline. The reasoner's own weights stay frozen.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  gatherRows,
  languageModelLoss,
  readLoss,
  saveAdapter,
  Tape,
  tokenLossWithGradients,
  valuesOf,
  type Decoder,
  type LoraAdapter,
  type PlainSequence,
  type TrainingLoss,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { runSft } from './run-sft.js';
import type { SftOptions, SftOutcome } from './sft-options.js';
import { supervisedTokens, type SupervisedGradientOptions, type SupervisedModel } from './supervised-model.js';

/** The adapter as what is trained. Its checkpoints hold a PEFT folder in `adapter/`. */
export function adapterModel(decoder: Decoder, adapter: LoraAdapter): SupervisedModel<PlainSequence> {
  return {
    parameters: () => adapter.parameters(),
    gradients: (rows, options) => adapterGradients(decoder, adapter, rows, options),
    loss: (rows) => sequenceLoss(decoder, rows, adapter),
    save: async (folder) => {
      const path = join(folder, 'adapter');
      await mkdir(path);
      await saveAdapter(path, adapter);
    },
  };
}

/**
 * Trains the adapter in place, with the same loop and options as {@link trainWeaver} and the same result to the bit,
 * interrupted or not.
 * @param rows - of `prepareSequences`, or of core's `encodeConversation`.
 * @throws MemGenError as {@link runSft}.
 */
export function trainAdapter(
  decoder: Decoder,
  adapter: LoraAdapter,
  rows: readonly PlainSequence[],
  options: SftOptions<PlainSequence> = {},
): Promise<SftOutcome> {
  return runSft(adapterModel(decoder, adapter), rows, options);
}

/** Mean loss of the supervised tokens, without dropout; frees all it makes. */
export async function sequenceLoss(
  decoder: Decoder,
  rows: readonly PlainSequence[],
  adapter?: LoraAdapter,
): Promise<{ loss: number; tokens: number }> {
  let tokens = 0;
  const [sum] = await valuesOf(() => {
    const { loss, tokens: counted } = languageModelLoss(decoder, rows, adapter && { adapter });
    tokens = counted;
    return loss;
  });
  return { loss: sum! / tokens, tokens };
}

/** Rows are padded on the right to one width, on a tape so that activations can be recomputed. */
async function adapterGradients(
  decoder: Decoder,
  adapter: LoraAdapter,
  rows: readonly PlainSequence[],
  { normalizer, dropoutSeed, gradientCheckpointing = true, onForward }: SupervisedGradientOptions = {},
): Promise<TrainingLoss> {
  const tokens = rows.reduce((sum, row) => sum + supervisedTokens(row), 0);
  const scale = 1 / (normalizer ?? tokens);
  const width = Math.max(...rows.map(({ ids }) => ids.length));
  const ids = rows.flatMap((row) => Array.from({ length: width }, (_, t) => row.ids[t] ?? 0));
  const mask = rows.map((row) => Array.from({ length: width }, (_, t) => (t < row.ids.length ? 1 : 0)));
  const labelled = rows.flatMap((row, b) =>
    row.labels.flatMap((label, t) => (label >= 0 && t > 0 ? [{ label, place: b * width + t - 1 }] : [])),
  );
  const places = labelled.map(({ place }) => place);
  const labels = labelled.map(({ label }) => label);

  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const [inputs] = tape.constants(() => [decoder.embed(ids)]) as [tf.Tensor2D];
    const hidden = decoder.forward(inputs, mask, {
      cache: decoder.createCache(rows.length, 'parts'),
      adapter: { adapter, ...(dropoutSeed !== undefined && { dropoutSeed }) },
      execution: tape,
    });
    const [counted] = tape.run(([x]) => [gatherRows(x as tf.Tensor2D, places)], [hidden]) as [tf.Tensor2D];
    const [sum, gradient] = tape.constants(() => {
      const { loss, hiddenGradient } = tokenLossWithGradients(counted, labels, decoder.weights.head);
      return [loss, tf.mul(hiddenGradient, scale)];
    }) as [tf.Scalar, tf.Tensor2D];
    onForward?.();
    const gradients = tape.backward([{ output: counted, gradient }]);
    return { loss: (await readLoss(sum, gradients)) * scale, tokens, gradients };
  } finally {
    tape.dispose();
  }
}
