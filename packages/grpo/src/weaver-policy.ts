// The weaver as a policy: its actions are the tokens that the reasoner writes behind its latents.
import type { Decoder, Weaver } from '@memgen/core';
import { wovenTurns } from './episode.js';
import type { Policy } from './policy.js';
import { completionLogProbabilities, weaverObjective, type WeaverPolicyRow } from './weaver-objective.js';

export interface WeaverPolicySettings {
  /** Of the tokens. */
  temperature: number;
  gradientCheckpointing: boolean;
}

export function weaverPolicy(
  decoder: Decoder,
  weaver: Weaver,
  { temperature, gradientCheckpointing }: WeaverPolicySettings,
): Policy<WeaverPolicyRow> {
  return {
    parameters: () => weaver.parameters(),
    row: ({ episode, advantage, counts }) => {
      const sequence = wovenTurns(episode);
      const actions = episode.turns.reduce((sum, { ids }) => sum + ids.length, 0);
      return { sequence, advantage, mask: new Uint8Array(actions).fill(counts ? 1 : 0) };
    },
    logProbabilities: async (rows) => {
      const sequences = rows.map(({ sequence }) => sequence);
      return (await completionLogProbabilities(decoder, sequences, { weaver, temperature })).logProbabilities;
    },
    gradients: async (rows, options) => {
      const result = await weaverObjective(decoder, rows, { ...options, weaver, temperature, gradientCheckpointing });
      return { loss: result.loss, gradients: result.gradients, metrics: { ...result.metrics } };
    },
    obstacle: (episodes) => {
      const augmentations = episodes.flatMap(({ turns }) => turns.flatMap((turn) => turn.augmentations));
      if (augmentations.includes(1)) return undefined;
      return 'latents were woven in nowhere, so nothing depends on the weaver: the trigger refused every point';
    },
  };
}
