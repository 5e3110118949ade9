// How often latents were woven in: a line for the terminal, a table for the report.
import { formatPercent } from '@memgen/bench';
import type { ResultsTable } from '@memgen/runs';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import { armLabel } from './arm-labels.js';

/** Undefined where nothing could be woven in. */
export function weaveRateLine({ weaveRates }: Pick<TestResult, 'weaveRates'>): string | undefined {
  if (weaveRates.size === 0) return undefined;
  return `weave rate: ${[...weaveRates].map(([arm, rate]) => `${arm} ${formatPercent(rate)}`).join(', ')}`;
}

/** One table over all tests, where a trigger decides; otherwise every point is woven and there is nothing to tell. */
export function weaveRateTable(results: readonly TestResult[]): ResultsTable[] {
  const weaving = new Set(results.flatMap(({ weaveRates }) => [...weaveRates.keys()]));
  if (!weaving.has('weaver+trigger')) return [];
  // All arms of the other tables, for each to have its colour: those without latents weave nowhere.
  const arms = [...new Set(results.flatMap(({ headline }) => headline.map(({ arm }) => arm)))];
  return [
    {
      title: 'How often latents are woven in',
      caption: 'Share of the points at which latents went in. Without a trigger that is all of them.',
      unit: 'percent',
      valueLabel: 'share of points',
      better: 'higher',
      arms: arms.map((arm) => ({ id: arm, label: armLabel(arm, arms) })),
      groups: results.map(({ test, weaveRates }) => ({
        label: test.label ?? test.title,
        rows: test.questions.length,
        values: Object.fromEntries(arms.map((arm) => [arm, { value: weaveRates.get(arm) ?? 0 }])),
      })),
    },
  ];
}
