// A rollout's rows in batches that fit through the model, for any policy.
import { accumulateGradients, disposeGradients, type Gradients } from '@memgen/core';
import type { StepGradients, StepTimer } from '@memgen/sft';
import { defaultCompletionLength } from './generation-settings.js';
import type { ObjectiveOptions } from './objective-options.js';
import { chunksOf, type Policy, type PolicyRow } from './policy.js';
import { withValues, type ParameterValues } from './reference-values.js';

export interface PolicyBatchOptions extends Omit<ObjectiveOptions, 'step'> {
  /** Rows of one pass through the model. @default 4 */
  batchSize?: number;
  /** Optimizer steps over one rollout; ratios are to the policy that acted. @default 1 */
  iterations?: number;
  /** @default "dapo": the reference's "bnpo" taken over the whole step, however it is cut into batches */
  lossType?: ObjectiveOptions['lossType'];
}

/** Losses and gradients of the batches add up to those of the whole rollout. */
export class PolicyBatches<Row extends PolicyRow> {
  constructor(
    private readonly policy: Policy<Row>,
    private readonly options: PolicyBatchOptions,
    /** The policy to stay close to; needed when `beta` is not 0. */
    private readonly reference: ParameterValues | undefined,
  ) {}

  /** Adds the log-probabilities that later steps compare with. */
  async withOtherPolicies(rows: readonly Row[]): Promise<Row[]> {
    const { policy, reference } = this;
    const { iterations = 1, beta = 0, batchSize = 4 } = this.options;
    const counted = rows.flatMap((row, i) => (takesPart(row) ? [i] : []));
    const complete = [...rows];
    for (const part of chunksOf(counted, batchSize)) {
      const own = part.map((i) => rows[i]!);
      const old = iterations > 1 ? await policy.logProbabilities(own) : undefined;
      const referred =
        beta !== 0 && reference !== undefined
          ? await withValues(policy.parameters(), reference, () => policy.logProbabilities(own))
          : undefined;
      part.forEach((i, b) => (complete[i] = { ...rows[i]!, old: old?.[b], reference: referred?.[b] }));
    }
    return complete;
  }

  /**
   * @param rows - in whole groups.
   * @param timer - is told of the parts `policies`, `forward` and `backward`.
   */
  async gradients(
    rows: readonly Row[],
    timer?: StepTimer,
  ): Promise<Omit<StepGradients, 'readTokens'> & { metrics: Record<string, number> }> {
    const { batchSize = 4 } = this.options;
    const actions = rows.reduce((sum, { mask }) => sum + Array.from(mask ?? []).filter((one) => one !== 0).length, 0);
    const sums: Gradients = new Map();
    const parts: (Record<string, number> & { actions: number })[] = [];
    let loss = 0;
    try {
      const prepared = (await this.policy.prepare?.(rows, batchSize)) ?? rows;
      timer?.lap('policies');
      for (const part of chunksOf(this.teaching(prepared), batchSize)) {
        const result = await this.policy.gradients(part, {
          lossType: 'dapo',
          maxCompletionLength: defaultCompletionLength,
          ...this.options,
          step: { rows: rows.length, actions },
          onForward: () => timer?.lap('forward'),
        });
        loss += result.loss;
        parts.push(result.metrics);
        accumulateGradients(sums, result.gradients);
        timer?.lap('backward');
      }
    } catch (error) {
      disposeGradients(sums);
      throw error;
    }
    return { loss, tokens: actions, gradients: sums, metrics: { ...mergeMetrics(parts), actions } };
  }

  /**
   * Rows that change the policy. Those of a group that was rewarded alike have no advantage, and unless something else draws
   * at them, their gradient is exactly zero; metrics are then those of the other rows.
   */
  private teaching(rows: readonly Row[]): Row[] {
    const { beta = 0 } = this.options;
    const counted = rows.filter(takesPart);
    const teaching = counted.filter((row) => beta !== 0 || row.advantage !== 0 || this.policy.drawsAt?.(row) === true);
    // The optimizer wants gradients, be they zeros, and the report its metrics.
    return teaching.length > 0 ? teaching : counted.slice(0, this.options.batchSize ?? 4);
  }
}

/** Rows that are masked whole need not be read. */
function takesPart({ mask }: PolicyRow): boolean {
  return mask === undefined || Array.from(mask).some((one) => one !== 0);
}

/** Of the parts of a step: extremes of extremes, sums of counts and costs, means weighted with the actions. */
function mergeMetrics(
  parts: readonly (Readonly<Record<string, number>> & { actions: number })[],
): Record<string, number> {
  const actions = parts.reduce((sum, part) => sum + part.actions, 0);
  const merged = Object.keys(parts[0] ?? {}).map((name): [string, number] => {
    const values = parts.map((part) => part[name]!);
    if (name === 'actions' || name === 'penalty') return [name, values.reduce((sum, value) => sum + value, 0)];
    if (/min$/.test(name)) return [name, Math.min(...values)];
    if (/max$/.test(name)) return [name, Math.max(...values)];
    const weighted = values.reduce((sum, value, i) => sum + value * parts[i]!.actions, 0);
    return [name, weighted / Math.max(1, actions)];
  });
  return Object.fromEntries(merged);
}
