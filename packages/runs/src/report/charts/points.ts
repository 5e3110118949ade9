// Points of a curve made fewer or smoother.
import type { CurveSeries } from '../report-data.js';

export interface Point {
  step: number;
  value: number;
}

export function finitePoints(points: CurveSeries['points']): Point[] {
  return points.flatMap(({ step, value }) => (value !== null && Number.isFinite(value) ? [{ step, value }] : []));
}

/** Mean over a window around each point, 5 % of all points wide; nothing is shifted in time. */
export function runningMean(points: readonly Point[]): Point[] {
  const reach = Math.max(1, Math.round(points.length * 0.025));
  return points.map(({ step }, i) => {
    const around = points.slice(Math.max(0, i - reach), i + reach + 1);
    return { step, value: around.reduce((sum, { value }) => sum + value, 0) / around.length };
  });
}

/** At most `count` points, evenly chosen, the first and the last among them. */
export function thinOut<T>(points: readonly T[], count: number): T[] {
  if (points.length <= count) return [...points];
  return Array.from({ length: count }, (_, i) => points[Math.round((i * (points.length - 1)) / (count - 1))]!);
}
