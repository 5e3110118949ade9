// Defaults that depend on other settings.
import type { CheckedFile } from './schema.js';

export type ArmName = NonNullable<CheckedFile['evaluation']['arms']>[number];

/** An experiment with all defaults filled in, keys as in the file. */
export function fillIn(file: CheckedFile) {
  const { training, evaluation } = file;
  // The reference's rates: a trigger has few decisions to learn from, each of which counts for much.
  const learningRate = training.learning_rate ?? (training.train === 'trigger' ? 1e-6 : 1e-5);
  return {
    ...file,
    training: { ...training, learning_rate: learningRate },
    evaluation: { ...evaluation, arms: evaluation.arms ?? armsOf(file) },
  };
}

/** All arms whose parts the experiment has. */
function armsOf({ weaver, trigger, adapter, training: { train } }: CheckedFile): ArmName[] {
  const hasWeaver = train === 'weaver' || train === 'trigger' || weaver.from !== undefined;
  const hasTrigger = hasWeaver && (train === 'trigger' || trigger.from !== undefined);
  return [
    'vanilla',
    ...(hasWeaver ? (['random-weaver', 'weaver'] as const) : []),
    ...(hasTrigger ? (['weaver+trigger'] as const) : []),
    ...(train === 'adapter' || adapter.from !== undefined ? (['adapter'] as const) : []),
    ...(train === 'reasoner' ? (['reasoner'] as const) : []),
  ];
}
