// Group c, checkpoint: folders that the official code wrote, held against the state they were written from.
import { valuesOf } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { LatentWeaver, readWeaverTensors } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { triggerNameOfOfficial } from '../golden-trigger.js';
import { nameOfOfficial } from '../golden-weaver.js';
import { layoutOf, triggerLayoutOf } from './memgen-layout.js';

export async function checkCheckpoint(golden: GoldenCase, compare: Comparison): Promise<void> {
  const state = await golden.tensors('..', 'state.safetensors');
  const weaverBase = await golden.decoder(golden.modelFolder((await layoutOf(golden)).weaver_base));
  const triggerBase = await golden.decoder(golden.modelFolder((await triggerLayoutOf(golden)).base));
  const weaver = golden.own(await LatentWeaver.loadOfficial(golden.path(), weaverBase));
  const trigger = golden.own(await LanguageModelTrigger.loadOfficial(golden.path(), triggerBase));
  const isTrigger = (official: string) => official.startsWith('trigger.');
  const storedWeaver = await readWeaverTensors(weaver.parameters());
  const weaverNames = state.names.filter((official) => !isTrigger(official));
  compare.exact('names of the weaver', [...storedWeaver.keys()].sort(), weaverNames.map(nameOfOfficial).sort());
  for (const official of weaverNames) {
    const got = storedWeaver.get(nameOfOfficial(official))!.data;
    compare.numbers(official, got, await state.floats(official), tolerances.stored);
  }
  const triggerNames = state.names.filter(isTrigger);
  const parameters = trigger.parameters();
  compare.exact('names of the trigger', [...parameters.keys()].sort(), triggerNames.map(triggerNameOfOfficial).sort());
  for (const official of triggerNames) {
    const variable = parameters.get(triggerNameOfOfficial(official))!;
    const got = await valuesOf(() => (variable.rank === 2 ? tf.transpose(variable) : variable.clone()));
    compare.numbers(official, got, await state.floats(official), tolerances.stored);
  }
}
