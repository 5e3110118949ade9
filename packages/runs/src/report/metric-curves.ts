// Curves of all metrics of one run or of several, named and ordered for a person.
import type { MetricsRecord } from '../metrics-log.js';
import type { CurveSeries, ReportCurve } from './report-data.js';

/** A run whose curves are drawn. */
export interface RunMetrics {
  /** Names its line where there are several. */
  label: string;
  metrics: readonly MetricsRecord[];
}

type CurveText = Pick<ReportCurve, 'title' | 'caption' | 'valueLabel' | 'smooth'>;

/** Metrics that have a name in words, in the order of a report; `train/` before the name does not matter. */
const known = new Map<string, CurveText>([
  [
    'loss',
    {
      title: 'Training loss',
      caption: 'Each optimizer step, faint; its running mean, strong.',
      valueLabel: 'loss',
      smooth: true,
    },
  ],
  ['validation/loss', { title: 'Validation loss', caption: 'Held-out rows.', valueLabel: 'loss per supervised token' }],
  [
    'reward',
    {
      title: 'Reward',
      caption: 'Mean over the completions of each rollout.',
      valueLabel: 'mean reward',
      smooth: true,
    },
  ],
  [
    'weave_rate',
    {
      title: 'Weave rate',
      caption: 'Share of the places where latents could go in at which they did.',
      valueLabel: 'share of decisions',
      smooth: true,
    },
  ],
  [
    'reward_std',
    {
      title: 'Spread of rewards',
      caption: 'Standard deviation; without spread in a group nothing is learned from it.',
      valueLabel: 'standard deviation',
      smooth: true,
    },
  ],
  [
    'kl',
    {
      title: 'Distance from the reference',
      caption: 'Estimated Kullback-Leibler divergence.',
      valueLabel: 'nats per token',
      smooth: true,
    },
  ],
  [
    'completions/mean_length',
    { title: 'Length of completions', caption: 'Mean of each rollout.', valueLabel: 'tokens', smooth: true },
  ],
  ['grad_norm', { title: 'Gradient norm', caption: 'Before clipping.', valueLabel: 'global norm', smooth: true }],
  ['learning_rate', { title: 'Learning rate', caption: 'As the schedule gave it.', valueLabel: 'learning rate' }],
]);

/** Those that tell whether a run learns. */
const main = new Set(['loss', 'validation/loss', 'reward', 'weave_rate', 'completions/mean_length']);

export interface MetricCurves {
  /** Loss, reward, weave rate, length of completions. */
  main: ReportCurve[];
  /** Everything else. */
  more: ReportCurve[];
}

/** A curve for each metric that has at least two finite values in some run, with a line for each run that has it. */
export function metricCurves(runs: readonly RunMetrics[]): MetricCurves {
  const names = new Set(runs.flatMap(({ metrics }) => metrics.flatMap((record) => Object.keys(record))));
  names.delete('step');
  names.delete('time');
  const order = [...known.keys()];
  const rank = (name: string): number => {
    const place = order.indexOf(plainName(name));
    return place < 0 ? order.length : place;
  };
  const curves: MetricCurves = { main: [], more: [] };
  for (const name of [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
    const series = runs.map((run, place) => ({ ...seriesOf(run, name), place }));
    if (!series.some(({ points }) => points.filter(({ value }) => value !== null).length >= 2)) continue;
    const text = known.get(plainName(name)) ?? { title: name, caption: '', valueLabel: name };
    curves[main.has(plainName(name)) ? 'main' : 'more'].push({
      ...text,
      series: series.filter(({ points }) => points.length > 0),
      // A run has the same colour in every curve, whichever metrics the others have.
      places: runs.length,
    });
  }
  return curves;
}

function plainName(name: string): string {
  return name.replace(/^train\//, '');
}

function seriesOf({ label, metrics }: RunMetrics, name: string): CurveSeries {
  const points = metrics.flatMap((record) => {
    const value = record[name];
    return typeof value === 'number' || value === null ? [{ step: record.step, value }] : [];
  });
  return { label, points };
}
