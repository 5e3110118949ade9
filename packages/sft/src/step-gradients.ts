// Gradients of one optimizer step from several passes over parts of its rows.
import { accumulateGradients, disposeGradients, type Gradients, type PlainSequence } from '@memgen/core';
import type { StepTimer } from './step-timer.js';
import { supervisedTokens, type SupervisedModel } from './supervised-model.js';
import type { StepGradients } from './training-loop.js';

/**
 * How the passes of a step become one loss: `token-mean`, the mean over all their supervised tokens, which is what one
 * large batch would give; or `sum-of-means`, the sum of each pass's mean, as the reference implementation has it.
 */
export type Accumulation = 'token-mean' | 'sum-of-means';

export interface StepGradientOptions {
  /** Rows of one pass. @default all */
  batchSize?: number;
  /** @default 'token-mean' */
  accumulation?: Accumulation;
  /** @default true */
  gradientCheckpointing?: boolean;
  /** Seed of the pass that begins with row `start`. @default no dropout */
  dropoutSeed?: (start: number) => number;
  /** Names of the rows for errors, in their order. @default their places */
  names?: readonly (string | number)[];
  /** Is told of the parts `forward` and `backward`; recomputed activations belong to the latter. */
  timer?: StepTimer;
}

/** The caller disposes of the gradients. A pass whose loss is not finite is the last, and its rows are named. */
export async function stepGradients<Row extends PlainSequence>(
  model: SupervisedModel<Row>,
  rows: readonly Row[],
  {
    batchSize = rows.length,
    accumulation = 'token-mean',
    gradientCheckpointing = true,
    dropoutSeed,
    names = rows.map((_, i) => i),
    timer,
  }: StepGradientOptions = {},
): Promise<StepGradients> {
  const tokens = rows.reduce((sum, row) => sum + supervisedTokens(row), 0);
  const readTokens = rows.reduce((sum, row) => sum + row.ids.length, 0);
  const gradients: Gradients = new Map();
  let loss = 0;
  let source = `rows ${names.join(', ')}`;
  try {
    for (let start = 0; start < rows.length && Number.isFinite(loss); start += batchSize) {
      const part = await model.gradients(rows.slice(start, start + batchSize), {
        gradientCheckpointing,
        ...(accumulation === 'token-mean' && { normalizer: tokens }),
        ...(dropoutSeed !== undefined && { dropoutSeed: dropoutSeed(start) }),
        onForward: () => timer?.lap('forward'),
      });
      loss += part.loss;
      accumulateGradients(gradients, part.gradients);
      timer?.lap('backward');
      if (!Number.isFinite(loss)) source = `rows ${names.slice(start, start + batchSize).join(', ')}`;
    }
  } catch (error) {
    disposeGradients(gradients);
    throw error;
  }
  return { loss, tokens, readTokens, gradients, source };
}
