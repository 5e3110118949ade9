// What a run tells about itself in its manifest and report: counts, times, memory, speed.
import type { ArmSummary } from '@memgen/bench';
import type { BackendInfo } from '@memgen/core';
import type { FactGroup } from '@memgen/runs';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import { formatDuration } from '../format-duration.js';
import type { Task } from '../tasks/task.js';

/** For the manifest: how many rows changed sides, not which; answers.jsonl has them all. */
export function countsOnly({ arm, overall, families }: ArmSummary) {
  const counts = ({ n, correct, accuracy, interval, paired }: ArmSummary['overall']) => ({
    n,
    correct,
    accuracy,
    interval,
    ...(paired !== undefined && {
      paired: {
        difference: paired.difference,
        p: paired.p,
        rescued: paired.rescues.length,
        lost: paired.regressions.length,
      },
    }),
  });
  return {
    arm,
    overall: counts(overall),
    families: Object.fromEntries(families.map(({ family, summary }) => [family, counts(summary)])),
  };
}

export interface RunFactsOptions {
  backend: BackendInfo;
  trainingSeconds: number;
  readTokens: number;
  results: readonly TestResult[];
  task: Pick<Task, 'counted'>;
  seconds: number;
}

/** Facts of this session, for the report. */
export function runFacts({
  backend,
  trainingSeconds,
  readTokens,
  results,
  task,
  seconds,
}: RunFactsOptions): FactGroup[] {
  const answering = results.flatMap(({ test, rates }) =>
    [...rates].map(([arm, rate]) => ({ label: `${test.title}: ${arm}`, value: `${rate.toFixed(1)} answers/s` })),
  );
  return [
    {
      title: 'Training',
      facts: [
        { label: 'backend', value: `${backend.name} ${backend.version}` },
        { label: 'time', value: formatDuration(trainingSeconds) },
        { label: 'tokens read per second', value: (readTokens / trainingSeconds).toFixed(0) },
        { label: 'peak memory of the process', value: `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB` },
        { label: 'whole run', value: formatDuration(seconds) },
      ],
    },
    { title: 'Answering', facts: answering },
    ...(task.counted === undefined ? [] : [task.counted()]),
  ];
}
