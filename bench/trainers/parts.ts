// What is trained in the measurements: new parts of the official sizes over the model.
import { Random } from '@memgen/common';
import { Decoder, initializeDecoderWeights, LoraAdapter, type Reasoner } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { LatentWeaver } from '@memgen/weaver';

const lora = { r: 16, alpha: 32, dropout: 0.1, targetModules: ['q_proj', 'v_proj'] };
export const weaverSettings = { lora };

export function newWeaver({ decoder }: Reasoner): LatentWeaver {
  return LatentWeaver.initialize(decoder, decoder.config.hiddenSize, weaverSettings, Random.fromSeed(1));
}

export function newAdapter({ decoder }: Reasoner): LoraAdapter {
  return LoraAdapter.initialize(decoder.config, lora, Random.fromSeed(1));
}

export function newTrigger({ decoder }: Reasoner): LanguageModelTrigger {
  return LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(2));
}

/** A decoder of the model's shape with weights that can be trained. */
export function newDecoder({ decoder: { config } }: Reasoner): Decoder {
  return new Decoder(config, initializeDecoderWeights(config, Random.fromSeed(3)));
}
