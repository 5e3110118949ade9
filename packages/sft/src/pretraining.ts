// Pre-training of a small decoder from nothing: every weight is trained, hidden matrices by Muon, the rest by AdamW.
import {
  AdamW,
  decoderParameters,
  languageModelLoss,
  Muon,
  type AdamWOptions,
  type Decoder,
  type Gradients,
  type MuonOptions,
  type PlainSequence,
  type ScheduleOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { runTrainingLoop, type StepGradients, type TrainingLoopOptions, type TrainingOutcome } from './training-loop.js';

export interface PretrainingOptions
  extends Pick<TrainingLoopOptions, 'steps' | 'firstStep' | 'onStep' | 'signal' | 'clipNorm'> {
  /** The sequences of a step; must depend on the step alone. */
  batch: (step: number) => readonly PlainSequence[];
  /** Shape of the schedule; its peak is 1 and scales both rates. */
  schedule: Omit<ScheduleOptions, 'steps' | 'peak'>;
  muon: MuonOptions & { learningRate: number };
  adamW: AdamWOptions & { learningRate: number };
}

/** Trains all weights of a decoder made by `initializeDecoderWeights`, in place. */
export async function pretrain(decoder: Decoder, options: PretrainingOptions): Promise<TrainingOutcome> {
  const parameters = decoderParameters(decoder.weights);
  const isHiddenMatrix = (name: string) => name.startsWith('layers.') && name.endsWith('.weight');
  const choose = (wanted: boolean) => new Map([...parameters].filter(([name]) => isHiddenMatrix(name) === wanted));
  const muon = new Muon(choose(true), options.muon);
  const adamW = new AdamW(choose(false), options.adamW);
  const variables = [...parameters.values()];
  const { batch, schedule, muon: muonOptions, adamW: adamWOptions, ...loop } = options;

  const gradients = (step: number): StepGradients => {
    const sequences = batch(step);
    let tokens = 0;
    const { value, grads } = tf.variableGrads(() => {
      const { loss, tokens: counted } = languageModelLoss(decoder, sequences);
      tokens = counted;
      return tf.div(loss, counted).asScalar();
    }, variables);
    const loss = value.dataSync()[0]!;
    value.dispose();
    const found: Gradients = new Map();
    for (const variable of variables) {
      const gradient = grads[variable.name];
      if (gradient != null) found.set(variable, gradient);
    }
    return { loss, tokens, readTokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0), gradients: found };
  };

  try {
    return await runTrainingLoop({
      ...loop,
      schedule: { ...schedule, peak: 1 },
      optimizers: [
        { optimizer: muon, rate: (rate) => rate * muonOptions.learningRate },
        { optimizer: adamW, rate: (rate) => rate * adamWOptions.learningRate },
      ],
      gradients,
    });
  } finally {
    muon.dispose();
    adamW.dispose();
  }
}
