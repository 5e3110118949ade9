// The weaver that is measured: the settings of the official code, untrained.
import { Random } from '@memgen/common';
import type { Reasoner } from '@memgen/core';
import { LatentWeaver } from '@memgen/weaver';

export function newWeaver({ decoder }: Reasoner): LatentWeaver {
  const lora = { r: 16, alpha: 32, dropout: 0.1, targetModules: ['q_proj', 'v_proj'] };
  return LatentWeaver.initialize(decoder, decoder.config.hiddenSize, { lora }, Random.fromSeed(1));
}
