// Pre-training of a small decoder from nothing, on an endless stream of batches: every weight is trained.
import {
  decoderParameters,
  type Decoder,
  type Optimizer,
  type PlainSequence,
  type ScheduleOptions,
} from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import { decoderModel, muonWithAdamW, type MuonWithAdamWOptions } from './full-sft.js';
import { stepGradients } from './step-gradients.js';
import { runTrainingLoop, type TrainingLoopOptions, type TrainingOutcome } from './training-loop.js';
import { restoreValues, type TrainingState } from './training-state.js';

export interface PretrainingOptions
  extends Pick<TrainingLoopOptions, 'steps' | 'onStep' | 'signal' | 'clipNorm'>, MuonWithAdamWOptions {
  /** The sequences of a step, counted from 0; must depend on the step alone. */
  batch: (step: number) => readonly PlainSequence[];
  /** Shape of the schedule; its peak is 1 and scales both rates. */
  schedule: Omit<ScheduleOptions, 'steps' | 'peak'>;
  checkpoint?: {
    due: (step: number) => boolean;
    save: (step: number, optimizer: Optimizer, parameters: ReadonlyMap<string, tf.Variable>) => Promise<void>;
  };
  resume?: TrainingState;
}

/**
 * Trains all weights of a decoder made by `initializeDecoderWeights`, in place: hidden matrices by Muon, the rest by AdamW.
 * For rows that are all there from the start, `trainDecoder` has epochs, evaluation and checkpoints.
 */
export async function pretrain(decoder: Decoder, options: PretrainingOptions): Promise<TrainingOutcome> {
  const { batch, schedule, muon, adamW, checkpoint, resume, ...loop } = options;
  const model = decoderModel(decoder);
  const parameters = decoderParameters(decoder.weights);
  const optimizer = muonWithAdamW(decoder, { muon, adamW });
  try {
    if (resume !== undefined) {
      restoreValues(resume.values, parameters);
      optimizer.importState(resume.optimizerState);
    }
    return await runTrainingLoop({
      ...loop,
      firstStep: resume?.step ?? 0,
      schedule: { ...schedule, peak: 1 },
      optimizer,
      gradients: (step) => stepGradients(model, batch(step)),
      ...(checkpoint !== undefined && {
        checkpoint: { due: checkpoint.due, save: (step: number) => checkpoint.save(step, optimizer, parameters) },
      }),
    });
  } finally {
    optimizer.dispose();
  }
}
