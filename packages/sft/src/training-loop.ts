// The loop that all trainers share: gradients, clipping, schedule, optimizer step, evaluation, checkpoints, interruption.
import { MemGenError } from '@memgen/common';
import {
  clipGradients,
  createSchedule,
  disposeGradients,
  type Gradients,
  type Optimizer,
  type ScheduleOptions,
} from '@memgen/core';
import { StepTimer } from './step-timer.js';

/** One optimizer step's gradients: of the mean loss over all supervised tokens of the step. */
export interface StepGradients {
  loss: number;
  /** Supervised tokens. */
  tokens: number;
  /** Tokens read, supervised or not. */
  readTokens: number;
  gradients: Gradients;
  /** What the step learnt from, for the error about a loss that is not finite: `rows 3, 17`. */
  source?: string;
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
  /** Milliseconds by part (`forward`, `backward`, `optimizer` with the clipping); only with a clock. */
  times?: Readonly<Record<string, number>>;
}

/** What the loop needs of an evaluation; `Evaluator` is one. */
export interface LoopEvaluation {
  /** Whether the model after `step` steps is to be evaluated and has not been yet. */
  due: (step: number) => boolean;
  /** @returns `interrupted` when a signal cut it short: it is then still due. */
  run: (step: number) => Promise<'best' | 'not-best' | 'interrupted'>;
  /** Whether training has nothing more to gain. */
  readonly exhausted: boolean;
}

export interface TrainingLoopOptions {
  steps: number;
  /** Steps that were done before (resuming). @default 0 */
  firstStep?: number;
  schedule: Omit<ScheduleOptions, 'steps'>;
  optimizer: Optimizer;
  /** Largest global gradient norm. @default 1 */
  clipNorm?: number | undefined;
  /**
   * Gradients of step `step`, counted from 0; must depend on nothing but the step and the parameters. The timer may be told
   * of the parts of the work.
   */
  gradients: (step: number, timer: StepTimer) => StepGradients | Promise<StepGradients>;
  onStep?: ((report: StepReport) => void | Promise<void>) | undefined;
  /** Asked after each step, and once before the first of a resumed run. @default none */
  evaluation?: LoopEvaluation | undefined;
  /** Asked after each step whether to save; called too for a new best model, at the end and when interrupted. */
  checkpoint?: { due: (step: number) => boolean; save: (step: number) => Promise<void> } | undefined;
  /** Finish the step in hand, save, and return. */
  signal?: AbortSignal | undefined;
  /** Milliseconds of any origin. With it reports have `times`. */
  clock?: (() => number) | undefined;
}

export interface TrainingOutcome {
  /** Steps done in all. */
  step: number;
  /** Whether all steps are done, or as many as early stopping allows. */
  complete: boolean;
  /** True where early stopping ended the run. */
  stoppedEarly?: true;
}

/**
 * Runs optimizer steps until the end, until the evaluation is exhausted or until the signal.
 * @throws MemGenError `loss-not-finite` before such a step would reach the parameters, and what the hooks throw.
 */
export async function runTrainingLoop({
  steps,
  firstStep = 0,
  schedule: scheduleOptions,
  optimizer,
  clipNorm = 1,
  gradients,
  onStep,
  evaluation,
  checkpoint,
  signal,
  clock,
}: TrainingLoopOptions): Promise<TrainingOutcome> {
  const schedule = createSchedule({ ...scheduleOptions, steps });
  let step = firstStep;
  let saved = firstStep;
  const evaluateAndSave = async (isDue: boolean): Promise<void> => {
    const result = evaluation?.due(step) === true ? await evaluation.run(step) : undefined;
    if (!isDue && result !== 'best') return;
    await checkpoint?.save(step);
    saved = step;
  };

  // What an interruption cut short is done first, so that the run goes on as it would have without it.
  if (step > 0 && signal?.aborted !== true) await evaluateAndSave(false);
  while (step < steps && signal?.aborted !== true && evaluation?.exhausted !== true) {
    const timer = new StepTimer(clock);
    const { gradients: stepGradients, ...part } = await gradients(step, timer);
    let gradientNorm: number;
    const learningRate = schedule(step);
    try {
      gradientNorm = await clipGradients(stepGradients, clipNorm);
      requireFinite(step + 1, gradientNorm, part);
      optimizer.step(stepGradients, learningRate);
    } finally {
      disposeGradients(stepGradients);
    }
    timer.lap('optimizer');
    step++;
    const { loss, tokens, readTokens } = part;
    const times = clock && { times: timer.times };
    await onStep?.({ step, steps, loss, gradientNorm, learningRate, tokens, readTokens, ...times });
    await evaluateAndSave(checkpoint?.due(step) === true);
    // Lets signals and timers through between steps: reads may be done at once, without a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (checkpoint !== undefined && saved !== step) await checkpoint.save(step);
  const stoppedEarly = step < steps && evaluation?.exhausted === true;
  return { step, complete: step >= steps || stoppedEarly, ...(stoppedEarly && { stoppedEarly }) };
}

function requireFinite(step: number, norm: number, { loss, source }: Omit<StepGradients, 'gradients'>): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  throw new MemGenError({
    code: 'loss-not-finite',
    where: source === undefined ? `step ${step}` : `step ${step}, ${source}`,
    message: 'training has left the range of numbers and was stopped before this step changed the parameters',
    got: `loss ${loss}, gradient norm ${norm}`,
    expected: 'finite numbers',
    hint: 'lower the learning rate, lengthen the warm-up or lower clipNorm; look at the rows that are named',
  });
}
