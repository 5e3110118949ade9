// The parts that are measured: a weaver and a trigger with the settings of the official code, untrained.
import { Random } from '@memgen/common';
import type { Reasoner, Trigger } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { LatentWeaver } from '@memgen/weaver';

export const loraSettings = { r: 16, alpha: 32, dropout: 0.1, targetModules: ['q_proj', 'v_proj'] };

export function newWeaver({ decoder }: Reasoner): LatentWeaver {
  return LatentWeaver.initialize(decoder, decoder.config.hiddenSize, { lora: loraSettings }, Random.fromSeed(1));
}

/** Reads and judges as any other, and always says yes: its head outweighs what the model says. */
export function willingTrigger({ decoder }: Reasoner): LanguageModelTrigger {
  const trigger = LanguageModelTrigger.initialize(decoder, { lora: loraSettings }, Random.fromSeed(2));
  trigger.output.bias.assign(trigger.output.bias.add([-1e4, 1e4]));
  return trigger;
}

/** Says yes to each row at steps of its own, and costs nothing: by the tokens that the row has had since its prompt. */
export function staggeredTrigger({ every, between }: { every: number; between: number }): Trigger {
  const none = () => {
    throw new Error('this trigger is for measurements of generation only');
  };
  return {
    parameters: () => new Map(),
    begin: none,
    save: none,
    dispose: () => undefined,
    beginInference: ({ rows }) => {
      let tokens = Array.from({ length: rows }, () => -1);
      let offsets = tokens.map((_, row) => row * between);
      return {
        judge: (ids) => {
          const answers = ids.map((row, b) => {
            if (row === undefined) return undefined;
            // The prompt counts as nothing.
            tokens[b]! += tokens[b] === -1 ? 1 : row.length;
            const isPlace = tokens[b] === 0 || (tokens[b]! + offsets[b]!) % every === 0;
            return Float32Array.of(0, isPlace ? 1 : -1);
          });
          return Promise.resolve(answers);
        },
        select: (chosen) => {
          tokens = chosen.map((row) => tokens[row]!);
          offsets = chosen.map((row) => offsets[row]!);
        },
        dispose: () => undefined,
      };
    },
  };
}
