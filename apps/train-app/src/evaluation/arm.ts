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
export function makeArms(experiment: Experiment, reasoner: Reasoner, parts: Parts): Arms {
  const own: { dispose(): void }[] = [];
  const list = experiment.evaluation.arms.map((name): Arm => {
    const arm = { name, reasoner, weaving: weavingOf(experiment, { hasTrigger: name === 'weaver+trigger' }) };
    switch (name) {
      case 'vanilla':
        return arm;
      case 'random-weaver': {
        const weaver = newWeaver(experiment, reasoner, parts.weaver);
        own.push(weaver);
        return { ...arm, weaver };
      }
      case 'weaver':
      case 'weaver+trigger': {
        const weaver = parts.weaver ?? newWeaver(experiment, reasoner);
        if (parts.weaver === undefined) own.push(weaver);
        return name === 'weaver' ? { ...arm, weaver } : { ...arm, weaver, trigger: parts.trigger! };
      }
      case 'adapter':
        return { ...arm, adapter: parts.adapter! };
      case 'reasoner':
        return { ...arm, reasoner: { ...reasoner, decoder: parts.decoder! } };
    }
  });
  return {
    list,
    dispose: () => {
      for (const part of own) part.dispose();
    },
  };
}
