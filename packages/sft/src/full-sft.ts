// Supervised training of every weight of a decoder: for small models, whose weights were made trainable.
import { MemGenError } from '@memgen/common';
import {
  AdamW,
  combineOptimizers,
  decoderParameters,
  languageModelLoss,
  Muon,
  readLoss,
  type AdamWOptions,
  type Decoder,
  type DecoderConfig,
  type Gradients,
  type MuonOptions,
  type Optimizer,
  type PlainSequence,
  type TrainingLoss,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { sequenceLoss } from './adapter-sft.js';
import { runSft } from './run-sft.js';
import type { SftOptions, SftOutcome } from './sft-options.js';
import type { SupervisedGradientOptions, SupervisedModel } from './supervised-model.js';

/** The decoder as what is trained. Its checkpoints hold the weights in the trainer's state alone. */
export function decoderModel(decoder: Decoder): SupervisedModel<PlainSequence> {
  return {
    parameters: () => decoderParameters(decoder.weights),
    gradients: (rows, options) => decoderGradients(decoder, rows, options),
    loss: (rows) => sequenceLoss(decoder, rows),
    save: () => Promise.resolve(),
  };
}

/**
 * Trains all weights of a decoder made by `initializeDecoderWeights`, in place, with the same loop and options as
 * {@link trainWeaver}. Activations are kept, so memory grows with the rows of a pass: lower `batchSize` and raise
 * `gradientAccumulation` where it does not suffice.
 * @throws MemGenError as {@link runSft}, and `weights-frozen` for a decoder that was loaded.
 */
export async function trainDecoder(
  decoder: Decoder,
  rows: readonly PlainSequence[],
  options: SftOptions<PlainSequence> = {},
): Promise<SftOutcome> {
  if (!(decoder.weights.head instanceof tf.Variable)) {
    throw new MemGenError({
      code: 'weights-frozen',
      message: 'the weights of this decoder are frozen, as those of every loaded model are',
      expected: 'a decoder with weights of initializeDecoderWeights',
      hint: 'train an adapter over it instead: trainAdapter',
    });
  }
  return runSft(decoderModel(decoder), rows, options);
}

export interface MuonWithAdamWOptions {
  muon: Omit<MuonOptions, 'sections'> & { learningRate: number };
  adamW: AdamWOptions & { learningRate: number };
}

/**
 * Muon for the hidden matrices of a decoder, AdamW for the rest. The two rates multiply the schedule, whose peak is then 1.
 */
export function muonWithAdamW({ config, weights }: Decoder, { muon, adamW }: MuonWithAdamWOptions): Optimizer {
  const isHiddenMatrix = (name: string) => name.startsWith('layers.') && name.endsWith('.weight');
  const parameters = [...decoderParameters(weights)];
  const choose = (wanted: boolean) => new Map(parameters.filter(([name]) => isHiddenMatrix(name) === wanted));
  return combineOptimizers([
    { optimizer: new Muon(choose(true), { ...muon, sections: sectionsOf(config) }), rate: muon.learningRate },
    { optimizer: new AdamW(choose(false), adamW), rate: adamW.learningRate },
  ]);
}

/** By tfjs's own tape: embeddings and head are trained too, and may be one variable. */
async function decoderGradients(
  decoder: Decoder,
  rows: readonly PlainSequence[],
  { normalizer, onForward }: SupervisedGradientOptions = {},
): Promise<TrainingLoss> {
  const variables = [...decoderParameters(decoder.weights).values()];
  let tokens = 0;
  const { value, grads } = tf.variableGrads(() => {
    const { loss, tokens: counted } = languageModelLoss(decoder, rows);
    tokens = counted;
    const mean = tf.div(loss, normalizer ?? counted).asScalar();
    onForward?.();
    return mean;
  }, variables);
  const gradients: Gradients = new Map();
  for (const variable of variables) {
    const gradient = grads[variable.name];
    if (gradient != null) gradients.set(variable, gradient);
  }
  return { loss: await readLoss(value, gradients), tokens, gradients };
}

/** Matrices that the decoder keeps side by side, which Muon treats one by one. */
function sectionsOf({ heads, keyValueHeads, headSize, intermediateSize }: DecoderConfig) {
  const keyWidth = keyValueHeads * headSize;
  return (name: string): number[] | undefined => {
    if (name.endsWith('.queryKeyValue.weight')) return [heads * headSize, keyWidth, keyWidth];
    return name.endsWith('.gateUp.weight') ? [intermediateSize, intermediateSize] : undefined;
  };
}
