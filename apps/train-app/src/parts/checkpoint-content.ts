// What a checkpoint of a run holds for use, beside the state of its trainer: the trained part and what it works with.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveAdapter, saveDecoderWeights, saveMemGen, type Reasoner } from '@memgen/core';
import type { Experiment } from '../config/load-experiment.js';
import { baseFileName, type Parts } from './parts.js';
import { weavingOf } from './weaving.js';

/** Writes into a folder that a checkpoint is made in. */
export async function writeParts(
  folder: string,
  { experiment, reasoner, parts }: { experiment: Experiment; reasoner: Reasoner; parts: Parts },
): Promise<void> {
  const { origin } = reasoner;
  const { train } = experiment.training;
  if (train === 'weaver' || train === 'trigger') {
    const { weaver, trigger } = parts;
    const generation = weavingOf(experiment, { hasTrigger: trigger !== undefined });
    await saveMemGen(folder, { reasoner: origin, weaver, trigger, generation });
  } else if (train === 'adapter') {
    await mkdir(join(folder, 'adapter'));
    await saveAdapter(join(folder, 'adapter'), parts.adapter!, { id: origin.source, revision: origin.revision });
    const base = { source: origin.source, config_sha256: origin.configHash };
    await writeFile(join(folder, baseFileName), `${JSON.stringify(base, undefined, 2)}\n`);
  } else {
    await mkdir(join(folder, 'reasoner'));
    await saveDecoderWeights(parts.decoder!, join(folder, 'reasoner'), { dtype: 'F32' });
  }
}
