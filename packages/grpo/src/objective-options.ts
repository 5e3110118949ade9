// What the policy objective takes: its settings, its rows, and what is asked of both.
import { MemGenError } from '@memgen/common';

/**
 * How the losses of actions become one number:
 * - `grpo`: mean over rows of the mean over a row's actions (Shao et al. 2024);
 * - `bnpo`: mean over all actions of the batch;
 * - `dr_grpo`: sum divided by rows times the longest completion allowed (Liu et al. 2025): no bias by length;
 * - `dapo`: mean over all actions of the optimizer step (Yu et al. 2025), however it is cut into batches.
 */
export type LossType = 'grpo' | 'bnpo' | 'dr_grpo' | 'dapo';

/** What is known about the actions (tokens written, decisions taken) of one completion; all lists have one length. */
export interface PolicyActions {
  /** Under the policy that is trained. */
  logProbabilities: ArrayLike<number>;
  /** Under the policy that acted. @default the trained policy's own, held fixed: one update for each rollout */
  old?: ArrayLike<number> | undefined;
  /** Under the policy to stay close to; needed when `beta` is not 0. */
  reference?: ArrayLike<number> | undefined;
  /** 0 for actions that do not count. @default all count */
  mask?: ArrayLike<number> | undefined;
  advantage: number;
}

export interface ObjectiveOptions {
  /** @default "bnpo", the reference's */
  lossType?: LossType;
  /** Ratios are clipped at `1 - epsilon`. In [0, 1]. @default 0.2 */
  epsilon?: number;
  /** Ratios are clipped at `1 + epsilonHigh`. @default epsilon */
  epsilonHigh?: number;
  /** Caps the ratio also where the advantage is negative (two-sided clipping). More than 1. @default no cap */
  delta?: number;
  /** Weight of the divergence from the reference policy. @default 0 */
  beta?: number;
  /** One ratio for each action, or one for the whole row, the geometric mean (GSPO, Zheng et al. 2025). @default "token" */
  importanceSampling?: 'token' | 'sequence';
  /** Most actions that a completion could have had; `dr_grpo` divides by it. */
  maxCompletionLength?: number;
  /** The whole optimizer step, when these rows are a part of it; the losses of the parts then add up. @default these rows */
  step?: { rows: number; actions: number };
}

/** How rows pass through a model, forwards and backwards. */
export interface PassOptions {
  /** Recompute each layer in the backward pass instead of keeping its activations. @default true */
  gradientCheckpointing?: boolean;
  /** Called between the two passes, e.g. to take the time. */
  onForward?: (() => void) | undefined;
}

/** @throws MemGenError `objective-options`, `objective-rows`. */
export function checkObjective(rows: readonly PolicyActions[], options: ObjectiveOptions): void {
  checkOptions(options);
  rows.forEach(({ logProbabilities, old, reference, mask, advantage }, b) => {
    const fail = (message: string, got: string, expected: string): never => {
      throw new MemGenError({ code: 'objective-rows', where: `row ${b}`, message, got, expected });
    };
    const { length } = logProbabilities;
    const lists = { old, reference, mask };
    for (const [name, list] of Object.entries(lists)) {
      if (list !== undefined && list.length !== length) {
        fail(`"${name}" does not go with the log-probabilities`, `${list.length} numbers`, `${length}`);
      }
    }
    if ((options.beta ?? 0) !== 0 && reference === undefined) {
      fail('a beta needs the log-probabilities of the reference policy', 'none', `${length} numbers`);
    }
    if (!Number.isFinite(advantage)) fail('the advantage is not a number', String(advantage), 'a finite number');
    for (const [name, list] of Object.entries({ logProbabilities, old, reference })) {
      const at = Array.from(list ?? []).findIndex((value, t) => mask?.[t] !== 0 && !Number.isFinite(value));
      if (at >= 0) fail(`"${name}" is not a number at action ${at}`, String(list![at]), 'finite numbers');
    }
  });
}

function checkOptions({
  lossType,
  epsilon = 0.2,
  epsilonHigh = epsilon,
  delta,
  beta = 0,
  maxCompletionLength,
  step,
}: ObjectiveOptions): void {
  const check = (holds: boolean, where: string, got: unknown, expected: string) => {
    if (holds) return;
    throw new MemGenError({
      code: 'objective-options',
      where,
      message: 'this setting of the objective cannot be used',
      got: String(got),
      expected,
    });
  };
  check(epsilon >= 0 && epsilon <= 1, 'epsilon', epsilon, 'a number from 0 to 1');
  check(epsilonHigh >= 0 && epsilonHigh < Infinity, 'epsilonHigh', epsilonHigh, 'a number of 0 or more');
  check(delta === undefined || delta > 1, 'delta', delta, 'a number above 1, usually above 1 + epsilonHigh');
  check(beta >= 0 && beta < Infinity, 'beta', beta, 'a number of 0 or more');
  const longest = maxCompletionLength ?? NaN;
  check(lossType !== 'dr_grpo' || longest > 0, 'maxCompletionLength', maxCompletionLength, 'a number above 0');
  check(step === undefined || (step.rows > 0 && step.actions >= 0), 'step', JSON.stringify(step), 'rows and actions');
}
