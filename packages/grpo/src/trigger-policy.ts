// The trigger as a policy: its actions are the decisions whether to weave.
import type { Trigger } from '@memgen/core';
import { adaptivePenalty, type AdaptivePenaltyOptions } from './adaptive-penalty.js';
import { decidedEpisode } from './episode.js';
import { chunksOf, type Policy } from './policy.js';
import { triggerLogProbabilities, triggerObjective, type TriggerPolicyRow } from './trigger-objective.js';

/** With what the penalty needs to know. */
export interface JudgedTriggerRow extends TriggerPolicyRow {
  /** NaN where there is none, or the completion does not count. */
  reward: number;
  /** See `AdaptivePenalty.standards`. */
  standard?: number | undefined;
}

export interface TriggerPolicySettings {
  /** Of the decisions. */
  temperature: number;
  padId: number;
  groupSize: number;
  gradientCheckpointing: boolean;
  penalty?: AdaptivePenaltyOptions | undefined;
}

export function triggerPolicy(
  trigger: Trigger,
  { temperature, padId, groupSize, gradientCheckpointing, penalty }: TriggerPolicySettings,
): Policy<JudgedTriggerRow> {
  const policy = { trigger, temperature, padId };
  return {
    parameters: () => trigger.parameters(),
    row: ({ episode, advantage, counts, reward }) => {
      const text = decidedEpisode(episode);
      const mask = text.decisions.map(() => (counts ? 1 : 0));
      return { text, advantage, mask, reward: counts ? reward : NaN };
    },
    logProbabilities: async (rows) => (await triggerLogProbabilities(texts(rows), policy)).logProbabilities,
    gradients: async (rows, options) => {
      const standards = rows.map(({ standard }) => standard);
      const result = await triggerObjective(rows, {
        ...options,
        ...policy,
        gradientCheckpointing,
        ...(penalty !== undefined && { penalty: { lambda: penalty.lambda, standards } }),
      });
      return { loss: result.loss, gradients: result.gradients, metrics: { ...result.metrics } };
    },
    drawsAt: ({ standard }) => standard !== undefined,
    prepare: async (rows, batchSize) => {
      if (penalty === undefined) return rows;
      const probabilities: ArrayLike<number>[] = rows.map(() => []);
      const decided = rows.flatMap((row, i) => (row.text.decisions.length > 0 ? [i] : []));
      for (const part of chunksOf(decided, batchSize)) {
        const { weaving } = await triggerLogProbabilities(texts(part.map((i) => rows[i]!)), policy);
        part.forEach((i, b) => (probabilities[i] = weaving[b]!));
      }
      const rewards = rows.map(({ reward }) => reward);
      const { standards } = adaptivePenalty({ probabilities, rewards, groupSize }, penalty);
      return rows.map((row, i) => ({ ...row, standard: standards[i] }));
    },
  };
}

function texts(rows: readonly JudgedTriggerRow[]) {
  return rows.map(({ text }) => text);
}
