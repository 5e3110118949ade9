// What both methods of training are given, and what they give back.
import type { ChatTemplate, Reasoner } from '@memgen/core';
import type { RunFolder } from '@memgen/runs';
import type { Experiment } from '../config/load-experiment.js';
import type { Parts } from '../parts/parts.js';
import type { Task } from '../tasks/task.js';
import type { TrainingStep } from '../training-progress.js';

export interface TrainingPhaseOptions {
  experiment: Experiment;
  reasoner: Reasoner;
  template: ChatTemplate;
  task: Task;
  parts: Parts;
  run: RunFolder;
  signal: AbortSignal;
  onStart: (steps: number, firstStep: number) => void;
  onStep: (step: TrainingStep) => void;
  onNote: (text: string) => void;
  /** Milliseconds. */
  now: () => number;
}

export interface TrainingPhaseOutcome {
  /** Optimizer steps done. */
  step: number;
  /** Whether that is all of them. */
  complete: boolean;
  /** Step whose weights the parts have now: the last one, or the best. */
  weightsOf: number;
}
