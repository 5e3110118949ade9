// What a trainer needs to go on, beside the weights: the step and the optimizer's running tensors.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { openSafetensors, readJsonFile, writeSafetensors, type Optimizer } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import { readProgress, type TrainingProgress } from './training-progress.js';

export interface TrainingState extends TrainingProgress {
  /** Optimizer steps done. */
  step: number;
  optimizerState: Awaited<ReturnType<Optimizer['exportState']>>;
  /** Weights that were saved with it, by name. */
  values: ReadonlyMap<string, { shape: number[]; data: Float32Array }>;
}

/** Puts saved values back into variables of the same names and shapes. @throws MemGenError `training-state`. */
export function restoreValues(values: TrainingState['values'], parameters: ReadonlyMap<string, tf.Variable>): void {
  for (const [name, variable] of parameters) {
    const saved = values.get(name);
    if (saved === undefined || saved.shape.join() !== variable.shape.join()) {
      throw new MemGenError({
        code: 'training-state',
        where: name,
        message: 'the saved weights do not belong to this model',
        got: saved === undefined ? 'nothing' : `[${saved.shape.join(', ')}]`,
        expected: `[${variable.shape.join(', ')}]`,
      });
    }
    tf.tidy(() => {
      variable.assign(tf.tensor(saved.data, variable.shape));
    });
  }
}

const stateName = 'trainer.json';
const tensorsName = 'optimizer.safetensors';

/**
 * Writes `trainer.json` and `optimizer.safetensors` into a folder.
 * @param parameters - the weights themselves, exactly, where no checkpoint of their own is written.
 * @param progress - what else a resumed run goes on from.
 */
export async function saveTrainingState(
  folder: string,
  step: number,
  optimizer: Optimizer,
  parameters: ReadonlyMap<string, tf.Variable> = new Map(),
  progress: TrainingProgress = {},
): Promise<void> {
  const state = await optimizer.exportState();
  const tensors = [...state].map(([name, { shape, data }]) => ({ name, shape, data }));
  for (const [name, variable] of parameters) {
    tensors.push({ name: `${name}|value`, shape: [...variable.shape], data: Float32Array.from(await variable.data()) });
  }
  await writeSafetensors(join(folder, tensorsName), tensors);
  await writeFileAtomically(join(folder, stateName), `${JSON.stringify({ step, ...progress }, undefined, 2)}\n`);
}

/** @throws MemGenError `training-state` or that of a damaged file. */
export async function loadTrainingState(folder: string): Promise<TrainingState> {
  const path = join(folder, stateName);
  const { step, ...others } = await readJsonFile(path, 'the state of the trainer');
  if (typeof step !== 'number' || !Number.isInteger(step) || step < 0) {
    throw new MemGenError({
      code: 'training-state',
      where: path,
      message: 'the state of the trainer has no step',
      got: JSON.stringify(step),
      expected: 'a whole number',
    });
  }
  const progress = readProgress(others, path);
  const file = await openSafetensors(join(folder, tensorsName));
  try {
    const optimizerState: TrainingState['optimizerState'] = new Map();
    const values = new Map<string, { shape: number[]; data: Float32Array }>();
    for (const { name, shape } of file.tensors.values()) {
      const saved = { shape: [...shape], data: await file.readFloat32(name) };
      if (name.endsWith('|value')) values.set(name.slice(0, -'|value'.length), saved);
      else optimizerState.set(name, saved);
    }
    return { step, optimizerState, values, ...progress };
  } finally {
    await file.close();
  }
}
