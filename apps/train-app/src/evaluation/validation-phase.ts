// The loss of held-out solutions under every arm that can tell it.
import { adapterModel, meanLoss, sequenceLoss, weaverModel } from '@memgen/sft';
import type { PlainSequence, WovenRow } from '@memgen/core';
import type { RunFolder } from '@memgen/runs';
import type { Progress } from '../progress.js';
import type { Arm } from './arm.js';

export interface ValidationOptions {
  arms: readonly Arm[];
  /** The same conversations with the points of a weaver and without. */
  rows: { woven: readonly WovenRow[]; plain: readonly PlainSequence[] };
  batchSize: number;
  run: RunFolder;
  step: number;
  progress: (label: string, total: number) => Progress;
  signal: AbortSignal;
}

/**
 * Validation loss per supervised token of every arm; undefined when interrupted. An arm with a trigger has none: where
 * latents go in depends on what is written.
 */
export async function runValidation(options: ValidationOptions): Promise<Map<string, number> | undefined> {
  const { arms, rows, run, step } = options;
  const losses = new Map<string, number>();
  if (rows.plain.length === 0) return losses;
  for (const arm of arms) {
    if (arm.trigger !== undefined) continue;
    const { name, weaver, adapter, reasoner } = arm;
    const loss =
      weaver !== undefined
        ? await lossOf(name, rows.woven, weaverModel(reasoner.decoder, weaver), options)
        : await lossOf(name, rows.plain, plainModel(reasoner.decoder, adapter), options);
    if (loss === undefined) return undefined;
    losses.set(name, loss);
  }
  run.appendMetrics(step, Object.fromEntries([...losses].map(([arm, loss]) => [`validation/loss/${arm}`, loss])));
  return losses;
}

type LossModel<Row extends PlainSequence> = Parameters<typeof meanLoss<Row>>[0];

function plainModel(decoder: Arm['reasoner']['decoder'], adapter: Arm['adapter']): LossModel<PlainSequence> {
  if (adapter !== undefined) return adapterModel(decoder, adapter);
  return { loss: (rows) => sequenceLoss(decoder, rows) };
}

async function lossOf<Row extends PlainSequence>(
  name: string,
  rows: readonly Row[],
  model: LossModel<Row>,
  { batchSize, progress, signal }: ValidationOptions,
): Promise<number | undefined> {
  const bar = progress(`validation: ${name}`, rows.length);
  let done = 0;
  try {
    const counted: LossModel<Row> = {
      loss: (batch) => {
        bar.advance((done += batch.length));
        return model.loss(batch);
      },
    };
    return (await meanLoss(counted, rows, { batchSize, signal }))?.loss;
  } finally {
    bar.stop();
  }
}
