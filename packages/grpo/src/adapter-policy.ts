// A LoRA adapter of the reasoner as a policy: its actions are the tokens that the adapted reasoner writes.
import type { Decoder, LoraAdapter } from '@memgen/core';
import { adapterLogProbabilities, adapterObjective, type AdapterPolicyRow } from './adapter-objective.js';
import { labelledEpisode } from './episode.js';
import type { Policy } from './policy.js';

export interface AdapterPolicySettings {
  /** Of the tokens. */
  temperature: number;
  gradientCheckpointing: boolean;
}

export function adapterPolicy(
  decoder: Decoder,
  adapter: LoraAdapter,
  { temperature, gradientCheckpointing }: AdapterPolicySettings,
): Policy<AdapterPolicyRow> {
  return {
    parameters: () => adapter.parameters(),
    row: ({ episode, advantage, counts }) => {
      const actions = episode.turns.reduce((sum, { ids }) => sum + ids.length, 0);
      return {
        sequence: labelledEpisode(episode),
        advantage,
        mask: new Uint8Array(actions).fill(counts ? 1 : 0),
      };
    },
    logProbabilities: async (rows) => {
      const sequences = rows.map(({ sequence }) => sequence);
      return (await adapterLogProbabilities(decoder, sequences, { adapter, temperature })).logProbabilities;
    },
    gradients: async (rows, options) => {
      const result = await adapterObjective(decoder, rows, { ...options, adapter, temperature, gradientCheckpointing });
      return { loss: result.loss, gradients: result.gradients, metrics: { ...result.metrics } };
    },
  };
}
