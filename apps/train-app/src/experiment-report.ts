// From results to a report: the headline sentence, tables, curves, examples.
import { formatPercent, formatPValue, type ArmSummary } from '@memgen/bench';
import {
  machineFacts,
  metricCurves,
  rewardHistogram,
  type Comparison,
  type Estimate,
  type ExampleRow,
  type FactGroup,
  type MetricsRecord,
  type ReportData,
  type ResultGroup,
  type ResultsTable,
  type RunManifest,
  type SampleRecord,
} from '@memgen/runs';
import type { TestResult } from './evaluation-phase.js';
import type { Task } from './tasks/task.js';

const armLabels: Record<string, string> = {
  vanilla: 'vanilla (no latents)',
  'random-weaver': 'random weaver',
  weaver: 'trained weaver',
};

export interface ExperimentOutcome {
  task: Task;
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

/** One sentence on what came out, as measured. */
export function headlineSentence({ results, validation, untouched }: ExperimentOutcome): string {
  const parts: string[] = [];
  for (const { test, headline } of results.filter(({ test }) => test.purpose === 'memory')) {
    const of = (arm: string) => headline.find((summary) => summary.arm === arm)?.overall;
    const [trained, vanilla, random] = [of('weaver'), of('vanilla'), of('random-weaver')];
    if (trained === undefined) continue;
    const others = [
      vanilla === undefined ? '' : `${formatPercent(vanilla.accuracy)} without latents`,
      random === undefined ? '' : `${formatPercent(random.accuracy)} with an untrained weaver`,
    ].filter((text) => text !== '');
    const p = trained.paired === undefined ? '' : ` (paired p ${formatPValue(trained.paired.p)})`;
    parts.push(
      `${test.title}: ${formatPercent(trained.accuracy)} of ${trained.n} answers right with the trained weaver, ` +
        `${others.join(', ')}${p}.`,
    );
  }
  if (validation.size > 0) {
    const losses = [...validation].map(([arm, loss]) => `${armLabels[arm] ?? arm} ${loss.toFixed(4)}`);
    parts.push(`Validation loss per supervised token: ${losses.join(', ')}.`);
  }
  if (untouched !== undefined) {
    parts.push(
      untouched.changed === 0
        ? `With latents off, all ${untouched.rows} answers on old skills are the same as before training, token by token.`
        : `With latents off, ${untouched.changed} of ${untouched.rows} answers on old skills changed: this is a fault.`,
    );
  }
  return parts.join(' ');
}

/** Everything that report.html shows. */
export function experimentReport(outcome: ExperimentOutcome): ReportData {
  const { task, results, manifest, facts, commands, writtenAt, metrics, samples = [], validation } = outcome;
  const curves = metricCurves([{ label: manifest.name, metrics }]);
  const main = results.find(({ test }) => test.purpose === 'memory');
  return {
    title: `memgen: ${manifest.name}`,
    summary: headlineSentence(outcome),
    story: task.story,
    writtenAt,
    highlights: (main?.headline ?? []).map(({ arm, overall }) => ({
      value: formatPercent(overall.accuracy),
      label: armLabels[arm] ?? arm,
      note: `95 % interval ${(100 * overall.interval.low).toFixed(1)} to ${(100 * overall.interval.high).toFixed(1)}`,
    })),
    results: [...results.map(accuracyTable), ...validationTable(validation, outcome.validationRows)],
    curves: curves.main,
    moreCurves: curves.more,
    histograms: rewardHistogram(samples),
    facts: [...facts, machineFacts(manifest)],
    examples: results.flatMap((result) => examples(result, result.test.purpose === 'memory' ? 6 : 2)),
    manifest,
    repeat: {
      commands: [...commands],
      note: 'The same seed on the same machine and backend gives the same numbers; other machines differ slightly in rounding.',
    },
  };
}

function arms(summaries: readonly ArmSummary[]): { id: string; label: string }[] {
  return summaries.map(({ arm }) => ({ id: arm, label: armLabels[arm] ?? arm }));
}

function accuracyTable({ test, summaries, headline }: TestResult): ResultsTable {
  const families = summaries[0]?.families.map(({ family }) => family) ?? [];
  const groups = families.map((family) =>
    group(
      family,
      summaries.map(({ arm, families }) => ({ arm, summary: families.find((f) => f.family === family)!.summary })),
    ),
  );
  const total = group(
    test.headline === undefined ? 'all' : test.headline.join(' + '),
    headline.map(({ arm, overall }) => ({ arm, summary: overall })),
  );
  return {
    title: test.title,
    caption:
      'Share of greedy answers whose boxed result is exactly right. Intervals: Wilson, 95 %. p: exact two-sided McNemar test ' +
      'on the same rows against vanilla.',
    unit: 'percent',
    better: 'higher',
    arms: arms(summaries),
    groups: [...groups, { ...total, isTotal: true }],
    ...(test.purpose === 'skills' && {
      notes: ['Weaving on every prompt costs old skills; a trigger that weaves only where memory helps is the remedy.'],
    }),
  };
}

function group(label: string, entries: { arm: string; summary: ArmSummary['overall'] }[]): ResultGroup {
  const values: Record<string, Estimate> = {};
  const comparisons: Comparison[] = [];
  for (const { arm, summary } of entries) {
    values[arm] = { value: summary.accuracy, low: summary.interval.low, high: summary.interval.high };
    if (summary.paired === undefined) continue;
    comparisons.push({
      arm,
      against: 'vanilla',
      difference: { value: summary.paired.difference },
      pValue: summary.paired.p,
    });
  }
  return { label, rows: entries[0]?.summary.n ?? 0, values, comparisons };
}

function validationTable(losses: ReadonlyMap<string, number>, rows: number): ResultsTable[] {
  if (losses.size === 0) return [];
  const values = Object.fromEntries([...losses].map(([arm, value]) => [arm, { value }]));
  return [
    {
      title: 'Validation loss',
      caption: 'Mean cross entropy per supervised token of held-out rows.',
      unit: 'number',
      better: 'lower',
      arms: [...losses.keys()].map((arm) => ({ id: arm, label: armLabels[arm] ?? arm })),
      groups: [{ label: 'held-out rows', rows, values }],
    },
  ];
}

/** Rows that tell most: those that the arms answered differently, spread over the families. */
function examples({ test, answers }: TestResult, count: number): ExampleRow[] {
  const byRow = new Map<string, (typeof answers)[number][]>();
  for (const answer of answers) byRow.set(answer.rowId, [...(byRow.get(answer.rowId) ?? []), answer]);
  const rows = [...byRow.values()].sort((a, b) => spread(b) - spread(a));
  const families = [...new Set(rows.map(([first]) => first!.row.family))];
  const chosen: typeof rows = [];
  for (let round = 0; chosen.length < Math.min(count, rows.length); round++) {
    for (const family of families) {
      const next = rows.filter(([first]) => first!.row.family === family)[round];
      if (next !== undefined && chosen.length < count) chosen.push(next);
    }
  }
  return chosen.map((given) => ({
    title: `${test.name}: ${given[0]!.rowId}`,
    prompt: given[0]!.prompt,
    solution: given[0]!.row.solution,
    answers: given.map(({ arm, completion, correct }) => ({ arm: armLabels[arm] ?? arm, completion, correct })),
  }));
}

function spread(answers: readonly { correct: boolean }[]): number {
  return new Set(answers.map(({ correct }) => correct)).size;
}
