// Supervised fine-tuning of a weaver: the reasoner stays as it is, the weaver learns what to feed it.
import { Random } from '@memgen/common';
import {
  accumulateGradients,
  AdamW,
  trainingLoss,
  type AdamWOptions,
  type Decoder,
  type Gradients,
  type Optimizer,
  type ScheduleOptions,
  type Weaver,
  type WovenRow,
} from '@memgen/core';
import { DataOrder } from './data-order.js';
import { runTrainingLoop, type StepGradients, type StepReport, type TrainingOutcome } from './training-loop.js';

export interface WeaverSftOptions {
  /** Rows of one pass through the model. @default 4 */
  batchSize?: number;
  /** Passes that make one optimizer step; the loss is the mean over all their supervised tokens. @default 1 */
  gradientAccumulation?: number;
  /** Passes over the rows; ignored when `steps` is given. @default 2 */
  epochs?: number;
  steps?: number;
  /** @default cosine to 0 from 1e-5, warm-up over 10 % of the steps */
  schedule?: Omit<ScheduleOptions, 'steps'>;
  /** @default AdamW of the reference: betas 0.9 and 0.999, no decay */
  adamW?: AdamWOptions;
  /** @default 1 */
  clipNorm?: number;
  /** @default true */
  gradientCheckpointing?: boolean;
  /** Order of the rows, dropout. @default 0 */
  seed?: number;
  /** A new order every epoch, or the rows as they are given (a curriculum). @default true */
  shuffle?: boolean;
  onStep?: (report: StepReport) => void | Promise<void>;
  checkpoint?: { due: (step: number) => boolean; save: (step: number, optimizer: Optimizer) => Promise<void> };
  signal?: AbortSignal;
  /** Where an earlier run stopped: its step and its optimizer's state. */
  resume?: { step: number; optimizerState: Parameters<Optimizer['importState']>[0] };
}

/** Number of optimizer steps that the options ask for. */
export function weaverSftSteps(
  rows: number,
  { batchSize = 4, gradientAccumulation = 1, epochs = 2, steps }: WeaverSftOptions,
): number {
  return steps ?? Math.ceil(rows / (batchSize * gradientAccumulation)) * epochs;
}

/**
 * Trains the weaver in place. With the same seed, rows and backend the result is the same to the bit, interrupted or not.
 * The defaults are those of the reference implementation, except that accumulated gradients are the mean over all
 * supervised tokens (the reference sums them).
 */
export async function trainWeaver(
  reasoner: Decoder,
  weaver: Weaver,
  rows: readonly WovenRow[],
  options: WeaverSftOptions = {},
): Promise<TrainingOutcome> {
  const { batchSize = 4, gradientAccumulation = 1, gradientCheckpointing = true, seed = 0, resume } = options;
  const random = Random.fromSeed(seed);
  const order = new DataOrder({
    rows: rows.length,
    batchSize: batchSize * gradientAccumulation,
    random: random.fork('data order'),
    ...(options.shuffle !== undefined && { shuffle: options.shuffle }),
  });
  const steps = weaverSftSteps(rows.length, options);
  const parameters = weaver.parameters();
  const optimizer = new AdamW(parameters, options.adamW);

  const gradients = (step: number): StepGradients => {
    const chosen = order.batch(step).map((index) => rows[index]!);
    const normalizer = chosen.reduce((sum, row) => sum + supervisedTokens(row), 0);
    const sums: Gradients = new Map();
    let loss = 0;
    for (let start = 0; start < chosen.length; start += batchSize) {
      const part = trainingLoss(reasoner, chosen.slice(start, start + batchSize), {
        weaver,
        gradientCheckpointing,
        normalizer,
        dropoutSeed: random.fork(`dropout ${step} ${start}`).uint32(),
      });
      loss += part.loss;
      accumulateGradients(sums, part.gradients);
    }
    const readTokens = chosen.reduce((sum, row) => sum + row.ids.length, 0);
    return { loss, tokens: normalizer, readTokens, gradients: sums };
  };

  try {
    if (resume !== undefined) optimizer.importState(resume.optimizerState);
    const { checkpoint, onStep, signal, clipNorm } = options;
    return await runTrainingLoop({
      steps,
      firstStep: resume?.step ?? 0,
      schedule: options.schedule ?? { kind: 'cosine', peak: 1e-5, warmup: Math.ceil(0.1 * steps) },
      optimizer,
      gradients,
      ...(clipNorm !== undefined && { clipNorm }),
      ...(onStep !== undefined && { onStep }),
      ...(signal !== undefined && { signal }),
      ...(checkpoint !== undefined && {
        checkpoint: { due: checkpoint.due, save: (step: number) => checkpoint.save(step, optimizer) },
      }),
    });
  } finally {
    optimizer.dispose();
  }
}

function supervisedTokens({ labels }: WovenRow): number {
  return labels.filter((label, i) => i > 0 && label >= 0).length;
}
