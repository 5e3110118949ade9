// Bars with 95 % intervals: one group of bars for each group of rows, one bar for each arm.
import type { TopLevelSpec } from 'vega-lite';
import type { Html } from '../html.js';
import { formatInterval, formatValue } from '../format-number.js';
import type { ResultGroup, ResultsTable } from '../report-data.js';
import { chartSvg, labelExpression, plotWidth, seriesColours } from './chart-svg.js';

/** Draws a results table. */
export async function resultBars(table: ResultsTable): Promise<Html> {
  const groups = chartGroups(table);
  const label = [`${table.title}.`, ...groups.map((group) => `${group.label}: ${describeGroup(group, table)}.`)].join(
    ' ',
  );
  return await chartSvg(barSpecification(table, groups), label);
}

/** Totals repeat what the other bars say, unless they are all there is. */
function chartGroups({ groups }: ResultsTable): ResultGroup[] {
  const parts = groups.filter(({ isTotal }) => isTotal !== true);
  return parts.length === 0 ? groups : parts;
}

function describeGroup(group: ResultGroup, { arms, unit }: ResultsTable): string {
  return arms
    .map(({ id, label }) => {
      const estimate = group.values[id];
      if (estimate === undefined) return `${label} not measured`;
      return `${label} ${formatValue(estimate.value, unit)} ${formatInterval(estimate, unit)}`.trim();
    })
    .join(', ');
}

function barSpecification(table: ResultsTable, groups: readonly ResultGroup[]): TopLevelSpec {
  const isPercent = table.unit === 'percent';
  const rows = groups.flatMap((group, groupIndex) =>
    table.arms.flatMap((arm, armIndex) => {
      const estimate = group.values[arm.id];
      if (estimate === undefined || !Number.isFinite(estimate.value)) return [];
      const { value, low = value, high = value } = estimate;
      const text = isPercent ? (100 * value).toFixed(0) : formatValue(value, table.unit);
      return [{ group: groupIndex, arm: armIndex, value, low, high, text }];
    }),
  );
  const scale = isPercent ? { domain: [0, 1] } : { zero: true, nice: true };
  const y = { field: 'value', type: 'quantitative', scale, stack: null } as const;
  return {
    data: { values: rows },
    // A single group as wide as the page would be a wall of colour.
    width: groups.length === 1 ? plotWidth / 2 : plotWidth,
    height: 240,
    encoding: {
      x: {
        field: 'group',
        type: 'nominal',
        axis: {
          title: null,
          labelAngle: 0,
          labelFontSize: 13,
          labelColor: 'var(--ink)',
          labelExpr: labelExpression(groups),
          labelLimit: 160,
        },
        scale: { paddingInner: 0.28, paddingOuter: 0.14 },
      },
      xOffset: { field: 'arm', type: 'nominal', scale: { paddingInner: 0.12 } },
    },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 3 },
        encoding: {
          y: {
            ...y,
            axis: {
              title: table.valueLabel ?? (isPercent ? 'right answers' : null),
              tickCount: 5,
              ...(isPercent && { format: '%' }),
            },
          },
          color: {
            field: 'arm',
            type: 'nominal',
            scale: { domain: table.arms.map((_, i) => i), range: seriesColours(table.arms.length) },
            legend: { labelExpr: labelExpression(table.arms) },
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5, color: 'var(--ink)', opacity: 0.65 },
        encoding: { y: { field: 'low', type: 'quantitative', scale }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'text', baseline: 'bottom', dy: -5 },
        encoding: { y: { field: 'high', type: 'quantitative', scale }, text: { field: 'text', type: 'nominal' } },
      },
    ],
  };
}
