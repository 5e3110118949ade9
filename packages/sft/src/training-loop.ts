// The loop that all trainers share: gradients, clipping, schedule, optimizer step, progress, checkpoints, interruption.
import {
  clipGradients,
  createSchedule,
  disposeGradients,
  type Gradients,
  type Optimizer,
  type ScheduleOptions,
} from '@memgen/core';

/** One optimizer step's gradients: of the mean loss over all supervised tokens of the step. */
export interface StepGradients {
  loss: number;
  /** Supervised tokens. */
  tokens: number;
  /** Tokens read, supervised or not. */
  readTokens: number;
  gradients: Gradients;
}

/** What is reported after each step. */
export interface StepReport {
  /** Steps done, counted from 1. */
  step: number;
  steps: number;
  loss: number;
  gradientNorm: number;
  learningRate: number;
  tokens: number;
  readTokens: number;
}

export interface TrainingLoopOptions {
  steps: number;
  /** Steps that were done before (resuming). @default 0 */
  firstStep?: number;
  schedule: Omit<ScheduleOptions, 'steps'>;
  optimizer: Optimizer;
  /** Largest global gradient norm. @default 1 */
  clipNorm?: number;
  /** Gradients of step `step`, counted from 0; must depend on nothing but the step and the parameters. */
  gradients: (step: number) => StepGradients | Promise<StepGradients>;
  onStep?: (report: StepReport) => void | Promise<void>;
  /** Asked after each step whether to save, and called once more at the end or when interrupted. */
  checkpoint?: { due: (step: number) => boolean; save: (step: number) => Promise<void> };
  /** Finish the step in hand, save, and return. */
  signal?: AbortSignal;
}

export interface TrainingOutcome {
  /** Steps done in all. */
  step: number;
  /** Whether all steps are done. */
  complete: boolean;
}

/** Runs optimizer steps until the end or until the signal. */
export async function runTrainingLoop({
  steps,
  firstStep = 0,
  schedule: scheduleOptions,
  optimizer,
  clipNorm = 1,
  gradients,
  onStep,
  checkpoint,
  signal,
}: TrainingLoopOptions): Promise<TrainingOutcome> {
  const schedule = createSchedule({ ...scheduleOptions, steps });
  let step = firstStep;
  let saved = firstStep;
  while (step < steps && signal?.aborted !== true) {
    const { loss, tokens, readTokens, gradients: stepGradients } = await gradients(step);
    const gradientNorm = clipGradients(stepGradients, clipNorm);
    const learningRate = schedule(step);
    optimizer.step(stepGradients, learningRate);
    disposeGradients(stepGradients);
    step++;
    await onStep?.({ step, steps, loss, gradientNorm, learningRate, tokens, readTokens });
    if (checkpoint?.due(step) === true) {
      await checkpoint.save(step);
      saved = step;
    }
    // Lets signals and timers through between steps: the computation itself is synchronous.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (checkpoint !== undefined && saved !== step) await checkpoint.save(step);
  return { step, complete: step >= steps };
}
