// Numbers as a report shows them.
import type { Estimate, ResultsTable } from './report-data.js';

type Unit = ResultsTable['unit'];

/** `83.0 %` or `1.234`; a dash for what is missing or not finite. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return '\u2013';
  return unit === 'percent' ? `${(100 * value).toFixed(1)}\u00a0%` : formatNumber(value);
}

/** `[78.1, 87.0]`, nothing where there is no interval. */
export function formatInterval({ low, high }: Estimate, unit: Unit): string {
  if (low === undefined || high === undefined) return '';
  const bound = (value: number): string => (unit === 'percent' ? (100 * value).toFixed(1) : formatNumber(value));
  return `[${bound(low)}, ${bound(high)}]`.replaceAll('-', '\u2212');
}

/** `+81.0 points` or `−0.123`, with a true minus sign. */
export function formatDifference(value: number, unit: Unit): string {
  const size = unit === 'percent' ? (100 * Math.abs(value)).toFixed(1) : formatNumber(Math.abs(value));
  const sign = Number(size) === 0 ? '\u00b1' : value > 0 ? '+' : '\u2212';
  return `${sign}${size}${unit === 'percent' ? '\u00a0points' : ''}`;
}

/** `p = 0.012`, `p < 0.001`. */
export function formatPValue(p: number): string {
  return p < 0.001 ? 'p\u00a0<\u00a00.001' : `p\u00a0=\u00a0${p.toFixed(p < 0.01 ? 3 : 2)}`;
}

/** About four significant digits without an exponent where that is readable. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 3 : 4);
}
