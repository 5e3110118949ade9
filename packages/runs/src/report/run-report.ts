// A report of whatever a run folder holds, for programs that do not write one of their own.
import { join } from 'node:path';
import { readAnswers, type AnswerRecord } from '../answers.js';
import { groupBy } from '../group-by.js';
import { readManifest, type RunManifest } from '../manifest.js';
import { readMetrics } from '../metrics-log.js';
import { readSamples } from '../samples.js';
import { formatNumber, formatValue } from './format-number.js';
import { metricCurves } from './metric-curves.js';
import type { ExampleRow, FactGroup, ReportData, ReportHighlight } from './report-data.js';
import { policySamples } from './policy-samples.js';
import { rewardHistogram } from './reward-histogram.js';
import { timeFacts } from './time-facts.js';

export interface RunReportOptions {
  /** ISO 8601. */
  writtenAt: string;
  /** Most rows of answers.jsonl to show. @default 4 */
  examples?: number;
}

/**
 * Reads a run folder into a report: curves of all metrics, rewards, right answers of each arm, examples, machine and
 * manifest. An application replaces what it can say better.
 *
 * @throws MemGenError for a folder that is no run, or damaged files.
 */
export async function runReport(folder: string, { writtenAt, examples = 4 }: RunReportOptions): Promise<ReportData> {
  const manifest = await readManifest(join(folder, 'manifest.json'));
  const metrics = readMetrics(folder);
  const answers = readAnswers(folder);
  const samples = readSamples(folder);
  const steps = metrics.reduce((highest, { step }) => Math.max(highest, step), 0);
  const curves = metricCurves([{ label: manifest.name, metrics }]);
  return {
    title: manifest.name,
    summary: `A run of ${formatNumber(steps)} steps with seed ${manifest.seed}: ${manifest.status}.`,
    writtenAt,
    highlights: rightAnswers(answers),
    results: [],
    curves: curves.main,
    moreCurves: curves.more,
    histograms: rewardHistogram(samples),
    samples: policySamples(samples),
    facts: [...timeFacts(metrics), machineFacts(manifest)],
    examples: exampleRows(answers).slice(0, examples),
    manifest,
    repeat: { commands: [manifest.sessions[0]!.command.join(' ')] },
  };
}

/** Where the last session of a run worked. */
export function machineFacts({ sessions }: Readonly<RunManifest>): FactGroup {
  const { machine, backend, git } = sessions.at(-1)!;
  const commit = git === undefined ? undefined : git.commit.slice(0, 12) + (git.dirty ? ' and changes' : '');
  return {
    title: 'Machine',
    facts: [
      { label: 'processor', value: `${machine.cpu}, ${machine.cpu_cores} cores` },
      { label: 'memory', value: `${(machine.memory_bytes / 2 ** 30).toFixed(1)} GiB` },
      { label: 'system', value: `${machine.platform}, Node ${machine.node}` },
      { label: 'backend', value: [backend.name, backend.version].filter((text) => text !== undefined).join(' ') },
      ...(commit === undefined ? [] : [{ label: 'commit', value: commit }]),
    ],
  };
}

function rightAnswers(answers: readonly AnswerRecord[]): ReportHighlight[] {
  return [...groupBy(answers, ({ arm }) => arm)].map(([arm, given]) => {
    const right = given.filter(({ correct }) => correct).length;
    return {
      value: formatValue(right / given.length, 'percent'),
      label: arm,
      note: `${right} of ${given.length} answers right`,
    };
  });
}

/** Rows that the arms answered differently come first. */
function exampleRows(answers: readonly AnswerRecord[]): ExampleRow[] {
  const rows = [...groupBy(answers, ({ family, row }) => `${family}: ${row}`)];
  const differ = ([, given]: (typeof rows)[number]) => new Set(given.map(({ correct }) => correct)).size;
  return rows
    .sort((a, b) => differ(b) - differ(a))
    .map(([title, given]) => ({
      title,
      prompt: given[0]!.prompt,
      solution: given[0]!.solution,
      answers: given.map(({ arm, completion, correct }) => ({ arm, completion, correct })),
    }));
}
