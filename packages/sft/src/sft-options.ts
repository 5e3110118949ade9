// Options that all supervised trainers share.
import type { AdamWOptions, Optimizer, PlainSequence, ScheduleOptions } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import { requireSetting, type CheckpointFolderOptions } from './checkpoint-folder.js';
import type { EvaluationOptions } from './evaluation.js';
import type { Accumulation } from './step-gradients.js';
import type { StepReport, TrainingOutcome } from './training-loop.js';
import type { TrainingProgress } from './training-progress.js';
import type { TrainingState } from './training-state.js';

export interface SftOptions<Row extends PlainSequence> {
  /** Rows of one pass through the model. @default 4 */
  batchSize?: number;
  /** Passes that make one optimizer step. @default 1 */
  gradientAccumulation?: number;
  /** What the passes of a step add up to. @default 'token-mean' */
  accumulation?: Accumulation;
  /** Passes over the rows; ignored when `steps` is given. @default 2 */
  epochs?: number;
  steps?: number;
  /** @default cosine to 0 from 1e-5, warm-up over 10 % of the steps */
  schedule?: Omit<ScheduleOptions, 'steps'>;
  /** @default AdamW of the reference: betas 0.9 and 0.999, no decay */
  adamW?: AdamWOptions;
  /** Another optimizer for the parameters, e.g. `muonWithAdamW`; the trainer disposes it. @default AdamW with `adamW` */
  optimizer?: (parameters: ReadonlyMap<string, tf.Variable>) => Optimizer;
  /** @default 1 */
  clipNorm?: number;
  /** Recompute activations in the backward pass: less memory, more time. Full training keeps them. @default true */
  gradientCheckpointing?: boolean;
  /** Order of the rows, dropout. @default 0 */
  seed?: number;
  /** A new order every epoch, or the rows as they are given (a curriculum). @default true */
  shuffle?: boolean;
  /** Validation while training: best model, early stopping. @default none */
  evaluation?: EvaluationOptions<Row>;
  onStep?: (report: StepReport) => void | Promise<void>;
  /** Milliseconds of any origin, e.g. `() => performance.now()`. With it reports have `times`. */
  clock?: () => number;
  /** A folder of checkpoints that the same call goes on from, whatever ended it. @default none */
  checkpoints?: CheckpointFolderOptions;
  /** Saving of one's own, instead of `checkpoints`. `saveTrainingState` takes what `save` is given. */
  checkpoint?: {
    due: (step: number) => boolean;
    save: (
      step: number,
      optimizer: Optimizer,
      parameters: ReadonlyMap<string, tf.Variable>,
      progress: TrainingProgress,
    ) => Promise<void>;
  };
  /** Finish the step in hand, save, and return. */
  signal?: AbortSignal;
  /** Where an earlier run stopped, instead of `checkpoints`; values, if it has any, are put into the parameters. */
  resume?: Pick<TrainingState, 'step' | 'optimizerState'> & Partial<TrainingState>;
}

export interface SftOutcome extends TrainingOutcome {
  /** Of the evaluations: the best model's step and loss, and its checkpoint where `checkpoints` are kept. */
  best?: { step: number; loss: number; path?: string };
}

/** Number of optimizer steps that the options ask for. */
export function sftSteps(
  rows: number,
  {
    batchSize = 4,
    gradientAccumulation = 1,
    epochs = 2,
    steps,
  }: { batchSize?: number; gradientAccumulation?: number; epochs?: number; steps?: number },
): number {
  return steps ?? Math.ceil(rows / (batchSize * gradientAccumulation)) * epochs;
}

/** @throws MemGenError `sft-options` that names the setting. */
export function checkSftOptions<Row extends PlainSequence>(options: SftOptions<Row>): void {
  const { batchSize = 4, gradientAccumulation = 1, epochs = 2, steps = 1, clipNorm = 1, evaluation } = options;
  const whole = (where: string, value: number) => {
    requireSetting(Number.isInteger(value) && value >= 1, where, value, 'a whole number from 1');
  };
  whole('batchSize', batchSize);
  whole('gradientAccumulation', gradientAccumulation);
  whole('epochs', epochs);
  requireSetting(Number.isInteger(steps) && steps >= 0, 'steps', steps, 'a whole number from 0');
  requireSetting(clipNorm > 0, 'clipNorm', clipNorm, 'more than 0; Infinity turns clipping off');
  if (options.checkpoints !== undefined) {
    const alone = 'one of the two: `checkpoints` saves and resumes by itself';
    requireSetting(options.checkpoint === undefined, 'checkpoint', 'given beside `checkpoints`', alone);
    requireSetting(options.resume === undefined, 'resume', 'given beside `checkpoints`', alone);
  }
  if (evaluation === undefined) return;
  const { every = 'epoch', batchSize: size = 1, patience = 1, minimumImprovement = 0, restoreBest } = evaluation;
  if (every !== 'epoch') whole('evaluation.every', every);
  whole('evaluation.batchSize', size);
  if (patience !== Infinity) whole('evaluation.patience', patience);
  requireSetting(minimumImprovement >= 0, 'evaluation.minimumImprovement', minimumImprovement, '0 or more');
  requireSetting(
    restoreBest !== true || options.checkpoints !== undefined,
    'evaluation.restoreBest',
    'true',
    '`checkpoints` beside it: the best weights are read from there',
  );
}
