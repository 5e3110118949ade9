// Where the time of training went, by the metrics `train/time/<part>` in milliseconds.
import type { MetricsRecord } from '../metrics-log.js';
import type { FactGroup } from './report-data.js';

const prefix = 'train/time/';

/** Parts by the share of the time that they took, the longest first; nothing for a run that did not measure. */
export function timeFacts(metrics: readonly MetricsRecord[]): FactGroup[] {
  const sums = new Map<string, number>();
  let steps = 0;
  for (const record of metrics) {
    const parts = Object.entries(record).filter(([name]) => name.startsWith(prefix));
    if (parts.length > 0) steps++;
    for (const [name, value] of parts) {
      if (typeof value === 'number') sums.set(name, (sums.get(name) ?? 0) + value);
    }
  }
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  if (total <= 0) return [];
  const facts = [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([name, sum]) => ({
      label: name.slice(prefix.length),
      value: `${((100 * sum) / total).toFixed(1)} %, ${Math.round(sum / steps).toLocaleString('en-US')} ms a step`,
    }));
  return [{ title: 'Where the time goes', facts }];
}
