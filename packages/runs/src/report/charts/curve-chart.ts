// A curve over the steps of a run, e.g. its training loss.
import type { TopLevelSpec } from 'vega-lite';
import { formatNumber } from '../format-number.js';
import { visibleText, type Html } from '../html.js';
import type { CurveSeries, ReportCurve } from '../report-data.js';
import { palette } from '../style.js';
import { chartSvg, colourCount, labelExpression, plotWidth, seriesColours } from './chart-svg.js';
import { finitePoints, runningMean, thinOut, type Point } from './points.js';

/** More points than pixels only make the file large. */
const maxPoints = 400;

/** Lines stand for lines in a legend, at their full strength. */
const lineSymbols = { symbolType: 'stroke', symbolStrokeWidth: 2.5, symbolSize: 220, symbolOpacity: 1 } as const;

/** Draws all series of a curve. */
export async function curveChart(curve: ReportCurve): Promise<Html> {
  const label = [`${curve.title}.`, ...curve.series.map(describeSeries)].join(' ');
  return await chartSvg(curveSpecification(curve), label);
}

/** The same as a file of its own, e.g. for a picture in a README: the colours come along. */
export async function renderCurve(curve: ReportCurve): Promise<string> {
  const { text } = await curveChart(curve);
  return `${text.replace(/^(<svg [^>]*>)/, (tag) => `${tag}<style>${palette}</style>`)}\n`;
}

function describeSeries({ label, points }: CurveSeries): string {
  const finite = finitePoints(points);
  const first = finite[0];
  const last = finite.at(-1);
  if (first === undefined || last === undefined) return `${label}: no values.`;
  return `${label}: ${formatNumber(first.value)} at step ${first.step}, ${formatNumber(last.value)} at step ${last.step}.`;
}

function curveSpecification({ series, valueLabel, smooth = false, places = series.length }: ReportCurve): TopLevelSpec {
  const raw = flatten(series, (points) => thinOut(points, maxPoints));
  const lines = smooth ? flatten(series, (points) => thinOut(runningMean(points), maxPoints)) : raw;
  const x = { field: 'step', type: 'quantitative', axis: { title: 'step', grid: false, tickCount: 8 } } as const;
  const y = {
    field: 'value',
    type: 'quantitative',
    axis: { title: visibleText(valueLabel), tickCount: 5 },
    scale: { zero: false, nice: true },
  } as const;
  const colours = seriesColours(places);
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series.map((_, i) => i), range: series.map(({ place }, i) => colours[place ?? i]!) },
    legend: places <= 1 ? null : { labelExpr: labelExpression(series), ...lineSymbols },
  } as const;
  // More lines than colours: those of the second round are dashed.
  const rounds = series.map(({ place }, i) => ((place ?? i) < colourCount ? [1, 0] : [6, 4]));
  const dash = { ...color, scale: { domain: color.scale.domain, range: rounds } };
  return {
    width: plotWidth,
    height: 240,
    encoding: { x, y, color, ...(places > colourCount && { strokeDash: dash }) },
    layer: [
      ...(smooth ? [{ data: { values: raw }, mark: { type: 'line', strokeWidth: 1, opacity: 0.3 } } as const] : []),
      {
        data: { values: lines },
        mark: { type: 'line', strokeWidth: 2.25, point: lines.length <= 30 },
      },
    ],
  };
}

function flatten(
  series: readonly CurveSeries[],
  prepare: (points: Point[]) => Point[],
): { series: number; step: number; value: number }[] {
  return series.flatMap(({ points }, index) =>
    prepare(finitePoints(points)).map(({ step, value }) => ({ series: index, step, value })),
  );
}
