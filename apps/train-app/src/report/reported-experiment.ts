// An experiment that has come to its end, as a report tells it.
import type { FactGroup, MetricsRecord, RunManifest, SampleRecord } from '@memgen/runs';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import type { Task } from '../tasks/task.js';

export interface ReportedExperiment {
  task: Pick<Task, 'story'>;
  results: readonly TestResult[];
  /** By arm; empty without validation rows. */
  validation: ReadonlyMap<string, number>;
  validationRows: number;
  /** Number of old-skill rows, and how many answers changed with latents off. */
  untouched?: { rows: number; changed: number } | undefined;
  metrics: readonly MetricsRecord[];
  /** What a policy wrote while it was trained. @default [] */
  samples?: readonly SampleRecord[];
  manifest: Readonly<RunManifest>;
  facts: readonly FactGroup[];
  commands: readonly string[];
  writtenAt: string;
}
