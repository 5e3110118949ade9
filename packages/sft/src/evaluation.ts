// Evaluation on validation rows while training: when, how, which model was best, and when to stop.
import { MemGenError } from '@memgen/common';
import type { PlainSequence } from '@memgen/core';
import { setImmediate } from 'node:timers/promises';
import type { SupervisedModel } from './supervised-model.js';
import type { LoopEvaluation } from './training-loop.js';

export interface EvaluationReport {
  /** Optimizer steps done. */
  step: number;
  /** Mean over all supervised tokens of the validation rows. */
  loss: number;
  tokens: number;
  isBest: boolean;
}

export interface EvaluationOptions<Row extends PlainSequence> {
  rows: readonly Row[];
  /** Optimizer steps from one evaluation to the next, or once an epoch; the last step is evaluated too. @default 'epoch' */
  every?: number | 'epoch';
  /** Rows of one pass; the loss does not depend on it but for rounding. @default that of training */
  batchSize?: number;
  /** Stop after this many evaluations in a row without enough improvement. @default never */
  patience?: number;
  /** What the loss must fall below the best one by, to count as an improvement. @default 0 */
  minimumImprovement?: number;
  /** Put the best weights back when the run is complete; needs `checkpoints`. @default false */
  restoreBest?: boolean;
  onEvaluation?: (report: EvaluationReport) => void | Promise<void>;
}

/** What a resumed run must know of the evaluations so far. */
export interface EvaluationState {
  /** Steps done at the last one. */
  step: number;
  best: { step: number; loss: number };
  /** Evaluations in a row without enough improvement. */
  withoutImprovement: number;
}

export interface EvaluatorOptions<Row extends PlainSequence> {
  model: SupervisedModel<Row>;
  evaluation: EvaluationOptions<Row>;
  /** Optimizer steps of the run and of an epoch. */
  steps: number;
  stepsPerEpoch: number;
  /** Rows of one pass, where the evaluation's own options do not say. */
  batchSize: number;
  signal?: AbortSignal | undefined;
  /** Of an earlier part of the run. */
  state?: EvaluationState | undefined;
}

/** The evaluations of one run. */
export class Evaluator<Row extends PlainSequence> implements LoopEvaluation {
  private current: EvaluationState | undefined;

  constructor(private readonly options: EvaluatorOptions<Row>) {
    if (options.evaluation.rows.length === 0) {
      throw new MemGenError({ code: 'data-empty', message: 'there are no rows to evaluate on' });
    }
    this.current = options.state;
  }

  /** Undefined before the first evaluation. */
  get state(): EvaluationState | undefined {
    return this.current;
  }

  get exhausted(): boolean {
    const { patience = Infinity } = this.options.evaluation;
    return this.current !== undefined && this.current.withoutImprovement >= patience;
  }

  due(step: number): boolean {
    const { evaluation, steps, stepsPerEpoch } = this.options;
    const { every = 'epoch' } = evaluation;
    const isPeriod = step % (every === 'epoch' ? stepsPerEpoch : every) === 0;
    return (isPeriod || step === steps) && this.current?.step !== step;
  }

  async run(step: number): Promise<'best' | 'not-best' | 'interrupted'> {
    const { model, evaluation, batchSize, signal } = this.options;
    const size = evaluation.batchSize ?? batchSize;
    const measured = await meanLoss(model, evaluation.rows, { batchSize: size, signal });
    if (measured === undefined) return 'interrupted';
    const { loss, tokens } = measured;
    if (!Number.isFinite(loss)) throw notFinite(step, loss);
    const { minimumImprovement = 0, onEvaluation } = evaluation;
    const best = this.current?.best;
    const isBest = best === undefined || loss < best.loss;
    const improves = best === undefined || best.loss - loss > minimumImprovement;
    this.current = {
      step,
      best: isBest ? { step, loss } : best,
      withoutImprovement: improves ? 0 : this.current!.withoutImprovement + 1,
    };
    await onEvaluation?.({ step, loss, tokens, isBest });
    return isBest ? 'best' : 'not-best';
  }
}

export interface MeanLossOptions {
  /** @default 4 */
  batchSize?: number;
  /** Looked at between passes. */
  signal?: AbortSignal | undefined;
}

/**
 * Mean loss over all supervised tokens of the rows (not the mean of the passes' means). Lets other work of the process go
 * on between passes.
 * @returns undefined when interrupted.
 */
export async function meanLoss<Row extends PlainSequence>(
  model: Pick<SupervisedModel<Row>, 'loss'>,
  rows: readonly Row[],
  { batchSize = 4, signal }: MeanLossOptions = {},
): Promise<{ loss: number; tokens: number } | undefined> {
  let sum = 0;
  let tokens = 0;
  for (let start = 0; start < rows.length; start += batchSize) {
    await setImmediate();
    if (signal?.aborted === true) return undefined;
    const part = await model.loss(rows.slice(start, start + batchSize));
    sum += part.loss * part.tokens;
    tokens += part.tokens;
  }
  return { loss: sum / tokens, tokens };
}

function notFinite(step: number, loss: number): MemGenError {
  return new MemGenError({
    code: 'loss-not-finite',
    where: `evaluation after step ${step}`,
    message: 'the loss of the validation rows is no finite number',
    got: String(loss),
    hint: 'lower the learning rate or lengthen the warm-up, and go on from an earlier checkpoint',
  });
}
