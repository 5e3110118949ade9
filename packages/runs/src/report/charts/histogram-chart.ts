// Shares by value, side by side for the parts of a run.
import type { TopLevelSpec } from 'vega-lite';
import { formatValue } from '../format-number.js';
import { visibleText, type Html } from '../html.js';
import type { ReportHistogram } from '../report-data.js';
import { chartSvg, labelExpression, plotWidth, seriesColours } from './chart-svg.js';

export async function histogramChart(histogram: ReportHistogram): Promise<Html> {
  const { title, bars, series } = histogram;
  const described = series.map(
    ({ label, shares }) =>
      `${label}: ${bars.map((bar, i) => `${bar} ${formatValue(shares[i], 'percent')}`).join(', ')}.`,
  );
  return await chartSvg(histogramSpecification(histogram), [`${title}.`, ...described].join(' '));
}

function histogramSpecification({ bars, series, valueLabel }: ReportHistogram): TopLevelSpec {
  const rows = series.flatMap(({ shares }, part) => shares.map((share, bar) => ({ bar, part, share })));
  const domain = series.map((_, i) => i);
  return {
    data: { values: rows },
    // A few bars as wide as the page would be a wall of colour.
    width: Math.min(plotWidth, Math.max(plotWidth / 2, bars.length * 90)),
    height: 200,
    mark: { type: 'bar', cornerRadiusEnd: 3 },
    encoding: {
      x: {
        field: 'bar',
        type: 'nominal',
        axis: {
          title: visibleText(valueLabel),
          labelAngle: 0,
          labelExpr: labelExpression(bars.map((label) => ({ label }))),
        },
        scale: { paddingInner: 0.28, paddingOuter: 0.14 },
      },
      xOffset: { field: 'part', type: 'nominal', scale: { paddingInner: 0.12 } },
      y: {
        field: 'share',
        type: 'quantitative',
        axis: { title: 'share of completions', tickCount: 4, format: '%' },
        scale: { zero: true, nice: true },
      },
      color: {
        field: 'part',
        type: 'nominal',
        scale: { domain, range: seriesColours(series.length) },
        legend: series.length === 1 ? null : { labelExpr: labelExpression(series) },
      },
    },
  };
}
