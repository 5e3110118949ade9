// Supervised fine-tuning of a weaver: the reasoner stays as it is, the weaver learns what to feed it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluationLoss, trainingLoss, type Decoder, type Weaver, type WovenRow } from '@memgen/core';
import { runSft } from './run-sft.js';
import type { SftOptions, SftOutcome } from './sft-options.js';
import type { SupervisedModel } from './supervised-model.js';

export type WeaverSftOptions = SftOptions<WovenRow>;

/** The weaver as what is trained. Its checkpoints hold the weaver's own files in `weaver/`. */
export function weaverModel(reasoner: Decoder, weaver: Weaver): SupervisedModel<WovenRow> {
  return {
    parameters: () => weaver.parameters(),
    gradients: (rows, options) => trainingLoss(reasoner, rows, { weaver, ...options }),
    loss: (rows) => evaluationLoss(reasoner, rows, weaver),
    save: async (folder) => {
      const path = join(folder, 'weaver');
      await mkdir(path);
      await weaver.save(path);
    },
  };
}

/**
 * Trains the weaver in place. With the same seed, rows and backend the result is the same to the bit, interrupted or not.
 * The defaults are those of the reference implementation, except that accumulated gradients are the mean over all
 * supervised tokens (the reference sums them: `accumulation: 'sum-of-means'`).
 * @param rows - of `prepareWovenRows`, or of core's `prepareRow` and `prepareTurns`.
 * @throws MemGenError as {@link runSft}.
 */
export function trainWeaver(
  reasoner: Decoder,
  weaver: Weaver,
  rows: readonly WovenRow[],
  options: WeaverSftOptions = {},
): Promise<SftOutcome> {
  return runSft(weaverModel(reasoner, weaver), rows, options);
}
