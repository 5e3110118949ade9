// A rollout's rows in batches that fit through the model.
import { accumulateGradients, disposeGradients, type Decoder, type Gradients, type Weaver } from '@memgen/core';
import type { StepGradients } from '@memgen/sft';
import type { ObjectiveOptions } from './objective-options.js';
import type { ObjectiveMetrics } from './objective.js';
import { defaultCompletionLength } from './weaver-rollout.js';
import { completionLogProbabilities, weaverObjective, type WeaverPolicyRow } from './weaver-objective.js';

export interface RolloutBatchOptions extends Omit<ObjectiveOptions, 'step'> {
  /** Rows of one pass through the model. @default 4 */
  batchSize?: number;
  /** Optimizer steps over one rollout. @default 1 */
  iterations?: number;
  /** @default "dapo": the reference's "bnpo" taken over the whole step, however it is cut into batches */
  lossType?: ObjectiveOptions['lossType'];
  /** The policy to stay close to, e.g. the weaver that training started from; needed when `beta` is not 0. */
  reference?: Weaver;
  /** @default true */
  gradientCheckpointing?: boolean;
  /** Of the sampling. @default 1 */
  temperature?: number;
}

/** Losses and gradients of the batches add up to those of the whole rollout. */
export class RolloutBatches {
  constructor(
    private readonly decoder: Decoder,
    private readonly weaver: Weaver,
    private readonly options: RolloutBatchOptions,
  ) {}

  /** Adds the log-probabilities that later steps compare with. */
  withOtherPolicies(rows: readonly WeaverPolicyRow[]): WeaverPolicyRow[] {
    const { iterations = 1, beta = 0, reference, temperature = 1 } = this.options;
    const under = (weaver: Weaver, part: readonly WeaverPolicyRow[]) => {
      const sequences = part.map(({ sequence }) => sequence);
      return completionLogProbabilities(this.decoder, sequences, { weaver, temperature }).logProbabilities;
    };
    return this.split(rows).flatMap((part) => {
      const old = iterations > 1 ? under(this.weaver, part) : undefined;
      const referred = beta !== 0 && reference !== undefined ? under(reference, part) : undefined;
      return part.map((row, b) => ({ ...row, old: old?.[b], reference: referred?.[b] }));
    });
  }

  gradients(rows: readonly WeaverPolicyRow[]): StepGradients & { metrics: Record<string, number> } {
    const actions = rows.reduce((sum, { mask }) => sum + Array.from(mask ?? []).filter((one) => one !== 0).length, 0);
    const sums: Gradients = new Map();
    const parts: ObjectivePart[] = [];
    let loss = 0;
    try {
      for (const part of this.split(rows)) {
        const result = weaverObjective(this.decoder, part, {
          lossType: 'dapo',
          maxCompletionLength: defaultCompletionLength,
          ...this.options,
          weaver: this.weaver,
          step: { rows: rows.length, actions },
        });
        loss += result.loss;
        parts.push(result.metrics);
        accumulateGradients(sums, result.gradients);
      }
    } catch (error) {
      disposeGradients(sums);
      throw error;
    }
    const readTokens = rows.reduce((sum, { sequence }) => sum + sequence.ids.length, 0);
    return { loss, tokens: actions, readTokens, gradients: sums, metrics: mergeMetrics(parts) };
  }

  private split(rows: readonly WeaverPolicyRow[]): WeaverPolicyRow[][] {
    const { batchSize = 4 } = this.options;
    return Array.from({ length: Math.ceil(rows.length / batchSize) }, (_, i) =>
      rows.slice(i * batchSize, (i + 1) * batchSize),
    );
  }
}

type ObjectivePart = ObjectiveMetrics & { entropy: number };

/** Of the parts of a step: extremes of extremes, sums of counts, means weighted with the actions. */
function mergeMetrics(parts: readonly ObjectivePart[]): Record<string, number> {
  const numbers = parts.map((part): Record<string, number> => ({ ...part }));
  const actions = parts.reduce((sum, part) => sum + part.actions, 0);
  const merged = Object.keys(numbers[0] ?? {}).map((name): [string, number] => {
    const values = numbers.map((part) => part[name]!);
    if (name === 'actions') return [name, actions];
    if (/min$/.test(name)) return [name, Math.min(...values)];
    if (/max$/.test(name)) return [name, Math.max(...values)];
    const weighted = values.reduce((sum, value, i) => sum + value * parts[i]!.actions, 0);
    return [name, weighted / Math.max(1, actions)];
  });
  return Object.fromEntries(merged);
}
