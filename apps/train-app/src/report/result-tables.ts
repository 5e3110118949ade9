// The tables of a report: all tests at a glance, each test by families, validation losses.
import type { ArmSummary } from '@memgen/bench';
import type { Comparison, Estimate, ResultGroup, ResultsTable } from '@memgen/runs';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import { armLabel } from './arm-labels.js';

const caption =
  'Share of greedy answers that are right. Intervals: Wilson, 95 %. p: exact two-sided McNemar test on the same rows ' +
  'against vanilla.';

/** Every test in a group of bars of its own: what the memory gives, and what it costs. Only for several tests. */
export function overviewTable(results: readonly TestResult[]): ResultsTable[] {
  if (results.length < 2) return [];
  const groups = results.map(({ test, headline }) => groupOf(test.label ?? test.title, overall(headline)));
  return [
    {
      title: 'At a glance',
      caption,
      unit: 'percent',
      better: 'higher',
      arms: armsOf(results[0]!.headline),
      groups,
    },
  ];
}

/** Families of one test. */
export function accuracyTable({ test, summaries, headline }: TestResult): ResultsTable {
  const families = summaries[0]?.families.map(({ family }) => family) ?? [];
  const groups = families.map((family) =>
    groupOf(
      family,
      summaries.map(({ arm, families }) => ({ arm, summary: families.find((f) => f.family === family)!.summary })),
    ),
  );
  const total = groupOf(test.headline === undefined ? 'all' : test.headline.join(' + '), overall(headline));
  const hasTrigger = headline.some(({ arm }) => arm === 'weaver+trigger');
  return {
    title: test.title,
    caption,
    unit: 'percent',
    better: 'higher',
    arms: armsOf(summaries),
    groups: [...groups, { ...total, isTotal: true }],
    ...(test.purpose === 'skills' &&
      !hasTrigger && {
        notes: [
          'Weaving on every prompt costs old skills; a trigger that weaves only where memory helps is the remedy.',
        ],
      }),
  };
}

export function validationTable(losses: ReadonlyMap<string, number>, rows: number): ResultsTable[] {
  if (losses.size === 0) return [];
  const values = Object.fromEntries([...losses].map(([arm, value]) => [arm, { value }]));
  const arms = [...losses.keys()];
  return [
    {
      title: 'Validation loss',
      caption: 'Mean cross entropy per supervised token of held-out rows.',
      unit: 'number',
      better: 'lower',
      arms: arms.map((arm) => ({ id: arm, label: armLabel(arm, arms) })),
      groups: [{ label: 'held-out rows', rows, values }],
    },
  ];
}

interface ArmAccuracy {
  arm: string;
  summary: ArmSummary['overall'];
}

function overall(summaries: readonly ArmSummary[]): ArmAccuracy[] {
  return summaries.map(({ arm, overall }) => ({ arm, summary: overall }));
}

function armsOf(summaries: readonly ArmSummary[]): { id: string; label: string }[] {
  const names = summaries.map(({ arm }) => arm);
  return names.map((arm) => ({ id: arm, label: armLabel(arm, names) }));
}

function groupOf(label: string, entries: readonly ArmAccuracy[]): ResultGroup {
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
