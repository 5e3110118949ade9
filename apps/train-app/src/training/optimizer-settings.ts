// Schedule, optimizer and checkpoints of a configuration, as all trainers take them.
import { join } from 'node:path';
import type { AdamWOptions, ScheduleOptions } from '@memgen/core';
import type { RunFolder } from '@memgen/runs';
import type { CheckpointFolderOptions } from '@memgen/sft';
import type { Experiment } from '../config/load-experiment.js';

type Training = Experiment['training'];

export function scheduleOf(training: Training, steps: number): Omit<ScheduleOptions, 'steps'> {
  return {
    kind: training.schedule,
    peak: training.learningRate,
    floor: training.minLearningRateRatio,
    warmup: Math.min(steps, training.warmupSteps ?? Math.ceil(training.warmupRatio * steps)),
  };
}

export function adamWOf({ betas, epsilon, weightDecay, latentProjectionRate }: Training): AdamWOptions {
  return {
    betas,
    epsilon,
    weightDecay,
    rates: (name) => (name === 'weaver_to_reasoner.weight' ? latentProjectionRate : 1),
  };
}

export function checkpointsOf(
  { checkpointEverySteps, checkpointEverySeconds, keepCheckpoints }: Training,
  run: RunFolder,
  now: () => number,
): CheckpointFolderOptions {
  return {
    folder: join(run.path, 'checkpoints'),
    everySteps: checkpointEverySteps ?? Number.MAX_SAFE_INTEGER,
    everySeconds: checkpointEverySeconds,
    now,
    keepLast: keepCheckpoints,
  };
}
