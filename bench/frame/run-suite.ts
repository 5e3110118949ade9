// Runs the processes of a suite one after the other; after each figure the rows so far are handed out.
import { buildRows } from './build-rows.js';
import { FigureSet, median } from './figure.js';
import { Progress } from './progress.js';
import type { Row } from './row.js';
import { runJob } from './run-job.js';
import type { Suite, SuiteSettings } from './suite.js';
import { formatNumber } from './table.js';

export interface RunSuiteOptions extends SuiteSettings {
  /** Whether the model is the one of the published figures. */
  published: boolean;
  /** Writes progress. */
  write: (text: string) => void;
  /** Called with all rows so far whenever there are more. */
  onRows: (rows: Row[]) => Promise<void>;
  clock: () => number;
  signal?: AbortSignal | undefined;
}

export interface SuiteResult {
  rows: Row[];
  /** One line for each measurement or process that did not work. */
  failures: string[];
}

export async function runSuite(
  suite: Suite,
  { published, write, onRows, clock, signal, ...settings }: RunSuiteOptions,
): Promise<SuiteResult> {
  const jobs = suite.jobs(settings);
  const progress = new Progress({ jobs, write, clock });
  const figures = new FigureSet();
  const failures: string[] = [];
  const fail = (text: string): void => {
    failures.push(text);
    progress.note(text);
  };
  const rowsNow = () => buildRows(suite, figures, { published });
  // A call, for it changes while the loop waits.
  const isStopped = () => signal?.aborted === true;
  for (const job of jobs) {
    if (isStopped()) break;
    progress.next();
    const problem = await runJob(
      job,
      async (message) => {
        if ('failure' in message) {
          fail(`${job.label}: ${message.failure.name}: ${message.failure.problem}`);
          return;
        }
        const { figure } = message;
        figures.add(figure);
        const title = suite.kinds[figure.measure]?.title(figure.sizes);
        if (title !== undefined) progress.note(`${title}: ${formatNumber(median(figure.samples))} ${figure.unit}`);
        await onRows(rowsNow());
      },
      signal,
    );
    if (problem !== undefined && !isStopped()) fail(`${job.label}: ${problem}`);
  }
  return { rows: rowsNow(), failures };
}
