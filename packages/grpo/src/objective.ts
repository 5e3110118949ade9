// The clipped policy objective of GRPO and its kin, and its gradient with respect to the log-probabilities, in closed form.
import { MemGenError } from '@memgen/common';
import { checkObjective, type ObjectiveOptions, type PolicyActions } from './objective-options.js';

/**
 * Names as TRL has them, but for the ratios and for `actions`. Shares are of the actions that count, or, with one ratio
 * for each row, of the rows. `low_min` and `high_max` are those of one batch: equal to the means.
 */
export interface ObjectiveMetrics {
  /** Actions that count. */
  actions: number;
  /** Mean of the k3 estimate (Schulman 2020); only with a beta. */
  kl?: number;
  'clip_ratio/low_mean': number;
  'clip_ratio/low_min': number;
  'clip_ratio/high_mean': number;
  'clip_ratio/high_max': number;
  'clip_ratio/region_mean': number;
  /** Probability under the trained policy by that under the one that acted; 1 where nothing counts. */
  'ratio/mean': number;
  'ratio/min': number;
  'ratio/max': number;
}

export interface PolicyObjective {
  loss: number;
  /** Derivative of the loss with respect to each log-probability, row by row; 0 where the mask is. */
  gradients: Float64Array[];
  metrics: ObjectiveMetrics;
}

/**
 * Minus the clipped surrogate (Schulman et al. 2017), plus `beta` times the k3 estimate of the divergence from the
 * reference policy.
 * @throws MemGenError `objective-options`, `objective-rows` for lists that do not fit, `objective-not-finite`.
 */
export function policyObjective(rows: readonly PolicyActions[], options: ObjectiveOptions = {}): PolicyObjective {
  checkObjective(rows, options);
  const { epsilon = 0.2, epsilonHigh = epsilon, delta = Infinity, beta = 0, importanceSampling = 'token' } = options;
  const counted = rows.map(({ logProbabilities, mask }) => indicesThatCount(logProbabilities.length, mask));
  const weightOf = actionWeights(counted, options);
  const bounds: ClipBounds = { low: 1 - epsilon, high: 1 + epsilonHigh, delta };
  const statistics = new RatioStatistics(bounds);
  let loss = 0;
  let divergence = 0;
  const gradients = rows.map(({ logProbabilities, old = logProbabilities, reference, advantage }, b) => {
    const gradient = new Float64Array(logProbabilities.length);
    const indices = counted[b]!;
    const weight = weightOf(b);
    const logRatios = indices.map((t) => logProbabilities[t]! - old[t]!);
    if (importanceSampling === 'sequence' && indices.length > 0) {
      const logRatio = logRatios.reduce((sum, value) => sum + value, 0) / indices.length;
      const { value, slope } = clippedSurrogate(logRatio, advantage, bounds);
      statistics.add(logRatio, advantage);
      loss -= weight * indices.length * value;
      for (const t of indices) gradient[t] = -weight * slope;
    } else {
      indices.forEach((t, i) => {
        const { value, slope } = clippedSurrogate(logRatios[i]!, advantage, bounds);
        statistics.add(logRatios[i]!, advantage);
        loss -= weight * value;
        gradient[t] = -weight * slope;
      });
    }
    if (beta !== 0) {
      for (const t of indices) {
        const difference = reference![t]! - logProbabilities[t]!;
        const estimate = Math.exp(difference) - difference - 1;
        divergence += estimate;
        loss += weight * beta * estimate;
        gradient[t]! += weight * beta * (1 - Math.exp(difference));
      }
    }
    return gradient;
  });
  checkFinite(loss, gradients);
  const actions = counted.reduce((sum, indices) => sum + indices.length, 0);
  const metrics = { actions, ...(beta !== 0 && { kl: divergence / Math.max(1, actions) }), ...statistics.summary() };
  return { loss, gradients, metrics };
}

function indicesThatCount(length: number, mask: ArrayLike<number> | undefined): number[] {
  const indices = Array.from({ length }, (_, t) => t);
  return mask === undefined ? indices : indices.filter((t) => mask[t] !== 0);
}

/** By what the loss of each action of a row is multiplied. */
function actionWeights(
  counted: readonly (readonly number[])[],
  { lossType = 'bnpo', maxCompletionLength = 1, step }: ObjectiveOptions,
): (row: number) => number {
  const actions = counted.reduce((sum, indices) => sum + indices.length, 0);
  const whole = step ?? { rows: counted.length, actions };
  switch (lossType) {
    case 'grpo':
      return (row) => 1 / (Math.max(1, counted[row]!.length) * whole.rows);
    case 'bnpo':
      // The mean of this batch, weighted with its share of the step's rows.
      return () => counted.length / (Math.max(1, actions) * whole.rows);
    case 'dr_grpo':
      return () => 1 / (whole.rows * maxCompletionLength);
    case 'dapo':
      return () => 1 / Math.max(1, whole.actions);
  }
}

interface ClipBounds {
  low: number;
  high: number;
  delta: number;
}

/** `min(ratio * A, clip(ratio) * A)` and its derivative with respect to the logarithm of the ratio. */
function clippedSurrogate(logRatio: number, advantage: number, { low, high, delta }: ClipBounds) {
  if (advantage === 0) return { value: 0, slope: 0 };
  const ratio = Math.exp(logRatio);
  const free = Math.min(ratio, delta) * advantage;
  const held = Math.min(Math.max(ratio, low), high) * advantage;
  const freeSlope = ratio <= delta ? ratio * advantage : 0;
  const heldSlope = ratio >= low && ratio <= high ? ratio * advantage : 0;
  if (free === held) return { value: free, slope: (freeSlope + heldSlope) / 2 };
  return free < held ? { value: free, slope: freeSlope } : { value: held, slope: heldSlope };
}

/** Collects what happened to the ratios. */
class RatioStatistics {
  private count = 0;
  private sum = 0;
  private least = Infinity;
  private most = -Infinity;
  private clippedLow = 0;
  private clippedHigh = 0;

  constructor(private readonly bounds: ClipBounds) {}

  add(logRatio: number, advantage: number): void {
    const ratio = Math.exp(logRatio);
    this.count++;
    this.sum += ratio;
    this.least = Math.min(this.least, ratio);
    this.most = Math.max(this.most, ratio);
    if (ratio < this.bounds.low && advantage < 0) this.clippedLow++;
    if (ratio > this.bounds.high && advantage > 0) this.clippedHigh++;
  }

  summary(): Omit<ObjectiveMetrics, 'kl' | 'actions'> {
    const nothing = this.count === 0;
    const [low, high] = [this.clippedLow, this.clippedHigh].map((clipped) => clipped / Math.max(1, this.count));
    return {
      'clip_ratio/low_mean': low!,
      'clip_ratio/low_min': low!,
      'clip_ratio/high_mean': high!,
      'clip_ratio/high_max': high!,
      'clip_ratio/region_mean': low! + high!,
      'ratio/mean': nothing ? 1 : this.sum / this.count,
      'ratio/min': nothing ? 1 : this.least,
      'ratio/max': nothing ? 1 : this.most,
    };
  }
}

function checkFinite(loss: number, gradients: readonly Float64Array[]): void {
  const row = gradients.findIndex((gradient) => !gradient.every(Number.isFinite));
  if (Number.isFinite(loss) && row < 0) return;
  throw new MemGenError({
    code: 'objective-not-finite',
    ...(row >= 0 && { where: `row ${row}` }),
    message: 'the objective is no longer a number: the policy has moved too far from the one it is compared with',
    got: `a loss of ${loss}`,
    hint: 'lower the learning rate, set delta (a cap on the ratio), or take fewer updates for each rollout',
  });
}
