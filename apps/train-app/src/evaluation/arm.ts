// What is compared in the end: the reasoner alone, and with each of the parts.
import type { LoraAdapter, Reasoner, Trigger, Weaver, WeavingSettings } from '@memgen/core';
import type { ArmName } from '../config/fill-in.js';
import type { Experiment } from '../config/load-experiment.js';
import { newWeaver, type Parts } from '../parts/parts.js';
import { weavingOf } from '../parts/weaving.js';

export interface Arm {
  name: ArmName;
  /** Whose decoder answers. */
  reasoner: Reasoner;
  weaver?: Weaver;
  trigger?: Trigger;
  adapter?: LoraAdapter;
  weaving: Required<WeavingSettings>;
}

export interface Arms {
  list: readonly Arm[];
  /** Frees what was made for the comparison; the parts stay. */
  dispose(): void;
}

/** The arms that the configuration names. */
export async function makeArms(experiment: Experiment, reasoner: Reasoner, parts: Parts): Promise<Arms> {
  const own: { dispose(): void }[] = [];
  const madeForIt = async (like?: Parts['weaver']) => {
    const weaver = await newWeaver(experiment, reasoner, like);
    own.push(weaver);
    return weaver;
  };
  const list: Arm[] = [];
  for (const name of experiment.evaluation.arms) {
    const arm = { name, reasoner, weaving: weavingOf(experiment, { hasTrigger: name === 'weaver+trigger' }) };
    switch (name) {
      case 'vanilla':
        list.push(arm);
        break;
      case 'random-weaver':
        list.push({ ...arm, weaver: await madeForIt(parts.weaver) });
        break;
      case 'weaver':
        list.push({ ...arm, weaver: parts.weaver ?? (await madeForIt()) });
        break;
      case 'weaver+trigger':
        list.push({ ...arm, weaver: parts.weaver ?? (await madeForIt()), trigger: parts.trigger! });
        break;
      case 'adapter':
        list.push({ ...arm, adapter: parts.adapter! });
        break;
      case 'reasoner':
        list.push({ ...arm, reasoner: { ...reasoner, decoder: parts.decoder! } });
        break;
    }
  }
  return {
    list,
    dispose: () => {
      for (const part of own) part.dispose();
    },
  };
}
