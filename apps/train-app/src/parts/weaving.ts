// How often and where latents are woven in: settings of the weaver, and what differs where a trigger decides.
import type { WeavingSettings } from '@memgen/core';
import type { Experiment } from '../config/load-experiment.js';

export function weavingOf(
  { weaver, trigger }: Pick<Experiment, 'weaver' | 'trigger'>,
  { hasTrigger }: { hasTrigger: boolean },
): Required<WeavingSettings> {
  const changed = hasTrigger ? trigger : undefined;
  return {
    maxInferencePoints: changed?.maxInferenceAugNum ?? weaver.maxInferenceAugNum,
    delimiterRule: changed?.delimiterRule ?? weaver.delimiterRule,
    minimumPointDistance: changed?.minimumPointDistance ?? weaver.minimumPointDistance,
  };
}
