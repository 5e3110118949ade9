// `compare RUN RUN... --out FILE`: several run folders in one report.
import { basename, join, resolve } from 'node:path';
import { writeFileAtomically } from '@memgen/common';
import {
  readManifest,
  readMetrics,
  renderComparison,
  type ComparedRun,
  type Estimate,
  type ResultGroup,
  type ResultsTable,
} from '@memgen/runs';
import { z } from 'zod';

/** What this app writes as the results of a run; see `run-experiment.ts`. A run that has not finished has none. */
const resultsSchema = z.object({
  headline: z.array(
    z.object({
      test: z.string(),
      arms: z.array(
        z.object({
          arm: z.string(),
          overall: z.object({
            n: z.number(),
            accuracy: z.number(),
            interval: z.object({ low: z.number(), high: z.number() }),
          }),
        }),
      ),
    }),
  ),
  validation_loss: z.record(z.string(), z.number()),
});

export interface CompareRunsOptions {
  /** The HTML file. */
  out: string;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Writes the comparison. @throws MemGenError for a folder that is no run, or fewer than two. */
export async function compareRuns(folders: readonly string[], { out, now }: CompareRunsOptions): Promise<void> {
  const manifests = await Promise.all(folders.map((folder) => readManifest(join(folder, 'manifest.json'))));
  const labels = runLabels(
    folders,
    manifests.map(({ name }) => name),
  );
  const runs = folders.map((folder, i): ComparedRun => ({
    label: labels[i]!,
    manifest: manifests[i]!,
    metrics: readMetrics(folder),
  }));
  const results = comparedResults(runs);
  await writeFileAtomically(out, await renderComparison({ runs, results, writtenAt: new Date(now()).toISOString() }));
}

/** The shortest names that tell all runs apart: of the experiment, of the folder, or the path as it was given. */
export function runLabels(folders: readonly string[], names: readonly string[]): string[] {
  const distinct = (labels: readonly string[]) => new Set(labels).size === labels.length;
  const last = folders.map((folder) => basename(resolve(folder)));
  return [...(distinct(names) ? names : distinct(last) ? last : folders)];
}

interface RunEstimate {
  label: string;
  rows: number;
  estimate: Estimate;
}

/** A table for each test, and one of validation losses: a group for each of the app's arms, an arm for each run. */
export function comparedResults(runs: readonly Pick<ComparedRun, 'label' | 'manifest'>[]): ResultsTable[] {
  const results = runs.map(({ manifest }) => resultsSchema.safeParse(manifest.results).data);
  const arms = runs.map(({ label }, i) => ({ id: String(i), label }));
  const tests = new Set(results.flatMap((result) => result?.headline.map(({ test }) => test) ?? []));
  const accuracies = [...tests].map((test): ResultsTable => {
    const estimates = results.map((result) =>
      (result?.headline.find((of) => of.test === test)?.arms ?? []).map(
        ({ arm, overall: { n, accuracy, interval } }) => ({
          label: arm,
          rows: n,
          estimate: { value: accuracy, ...interval },
        }),
      ),
    );
    return {
      title: `Right answers: ${test}`,
      caption: 'Share of right answers, with 95 % intervals (Wilson) in brackets.',
      unit: 'percent',
      better: 'higher',
      arms,
      ...groupsOf(estimates),
    };
  });
  const losses = results.map((result) =>
    Object.entries(result?.validation_loss ?? {}).map(([arm, value]) => ({ label: arm, rows: 0, estimate: { value } })),
  );
  const loss: ResultsTable = {
    title: 'Validation loss',
    caption: 'Mean cross entropy per supervised token of held-out rows.',
    unit: 'number',
    better: 'lower',
    arms,
    ...groupsOf(losses),
  };
  return [...accuracies, loss].filter(({ groups }) => groups.length > 0);
}

function groupsOf(byRun: readonly (readonly RunEstimate[])[]): Pick<ResultsTable, 'groups' | 'notes'> {
  const groups = new Map<string, ResultGroup>();
  let unequal = false;
  for (const [run, estimates] of byRun.entries()) {
    for (const { label, rows, estimate } of estimates) {
      const group = groups.get(label) ?? { label, rows, values: {} };
      unequal ||= group.rows !== rows;
      group.values[String(run)] = estimate;
      groups.set(label, group);
    }
  }
  return {
    groups: [...groups.values()],
    ...(unequal && { notes: ['The runs answered different numbers of rows; shown is that of the first.'] }),
  };
}
