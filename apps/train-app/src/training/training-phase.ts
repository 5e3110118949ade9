// The training phase of an experiment, by either method.
import { runGrpoPhase } from './grpo-phase.js';
import type { TrainingPhaseOptions, TrainingPhaseOutcome } from './phase-options.js';
import { runSftPhase } from './sft-phase.js';

/** Trains in place, writing metrics, samples and checkpoints; goes on from the newest checkpoint of the run folder. */
export function runTrainingPhase(options: TrainingPhaseOptions): Promise<TrainingPhaseOutcome> {
  return options.experiment.training.method === 'grpo' ? runGrpoPhase(options) : runSftPhase(options);
}
