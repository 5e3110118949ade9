// What the app gives to an experiment.
import type { ProgressStream } from './progress.js';

export interface ExperimentContext {
  say: (text: string) => void;
  stream: ProgressStream;
  /** Milliseconds since the epoch. */
  now: () => number;
  signal: AbortSignal;
  /** For the manifest. */
  command: readonly string[];
}
