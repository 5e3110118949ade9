import { describe, expect, it } from 'vitest';
import { formatDifference, formatInterval, formatNumber, formatPValue, formatValue } from './format-number.js';

describe('numbers of a report', () => {
  it('are as exact as they are readable', () => {
    expect([0, 3, 1_234_567, 1.23456, 12.3456, 123.456, 0.01234, -0.5, 1e-5, 2e9].map(formatNumber)).toEqual([
      '0',
      '3',
      '1,234,567',
      '1.235',
      '12.35',
      '123.5',
      '0.0123',
      '-0.500',
      '1.00e-5',
      '2.00e+9',
    ]);
    expect(formatValue(0.8304, 'percent')).toBe('83.0\u00a0%');
    expect([null, undefined, NaN, Infinity].map((value) => formatValue(value, 'number'))).toEqual(
      Array(4).fill('\u2013'),
    );
  });

  it('show intervals, differences and p-values', () => {
    expect(formatInterval({ value: 0, low: -0.0512, high: 0.1 }, 'percent')).toBe('[\u22125.1, 10.0]');
    expect(formatInterval({ value: 1 }, 'number')).toBe('');
    expect(formatDifference(-0.815, 'percent')).toBe('\u221281.5\u00a0points');
    expect(formatDifference(0.25, 'number')).toBe('+0.250');
    expect(formatDifference(0.0001, 'percent')).toBe('\u00b10.0\u00a0points');
    expect([0.5, 0.04, 0.0042, 1e-9].map(formatPValue)).toEqual([
      'p\u00a0=\u00a00.50',
      'p\u00a0=\u00a00.04',
      'p\u00a0=\u00a00.004',
      'p\u00a0<\u00a00.001',
    ]);
  });
});
