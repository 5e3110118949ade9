import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { bootstrapMean } from './bootstrap-mean.js';
import { mcNemarExact } from './mcnemar.js';
import { normalQuantile } from './normal-quantile.js';
import { passAtK } from './pass-at-k.js';
import { wilsonInterval } from './wilson-interval.js';

describe('normalQuantile', () => {
  it('gives the usual values', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8);
    expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489004, 8);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 8);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
  });
});

describe('wilsonInterval', () => {
  it.each([
    [8, 10, 0.4901625, 0.9433178],
    [10, 10, 0.7224672, 1],
    [0, 20, 0, 0.1611252],
    [50, 100, 0.4038315, 0.5961685],
  ])('for %i of %i', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval.low).toBeCloseTo(low, 5);
    expect(interval.high).toBeCloseTo(high, 5);
  });

  it('knows nothing without trials and widens with confidence', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
    const [wide, narrow] = [wilsonInterval(5, 9, { confidence: 0.99 }), wilsonInterval(5, 9, { confidence: 0.5 })];
    expect(wide.low).toBeLessThan(narrow.low);
    expect(wide.high).toBeGreaterThan(narrow.high);
    expect(() => wilsonInterval(3, 2)).toThrow(/3 of 2/);
  });
});

describe('mcNemarExact', () => {
  it.each([
    [1, 9, 0.021484375],
    [9, 1, 0.021484375],
    [0, 5, 0.0625],
    [5, 5, 1],
    [6, 5, 1],
    [0, 0, 1],
    [100, 140, 0.011664092317677663],
    [300, 420, 8.807756168615078e-6],
    [900, 1100, 8.457089535503927e-6],
  ])('for %i rescues and %i regressions', (rescues, regressions, p) => {
    expect(mcNemarExact(rescues, regressions) / p).toBeCloseTo(1, 9);
  });

  it('does not vanish for many disagreements', () => {
    expect(Math.log2(mcNemarExact(0, 1000))).toBeCloseTo(-999, 6);
    expect(() => mcNemarExact(-1, 2)).toThrow(/-1 and 2/);
  });
});

describe('bootstrapMean', () => {
  it('agrees with the normal interval on many values', () => {
    const random = Random.fromSeed(5);
    const values = Array.from({ length: 400 }, () => 3 + 2 * random.normal());
    const { mean, low, high, n } = bootstrapMean(values, { random: random.fork('resamples') });
    const exact = values.reduce((sum, value) => sum + value, 0) / n;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - exact) ** 2, 0) / (n - 1));
    expect(mean).toBeCloseTo(exact, 12);
    expect(low).toBeCloseTo(exact - (1.96 * deviation) / Math.sqrt(n), 1);
    expect(high).toBeCloseTo(exact + (1.96 * deviation) / Math.sqrt(n), 1);
  });

  it('repeats with the seed and has no width for equal values', () => {
    const estimate = () => bootstrapMean([1, 2, 3, 10], { random: Random.fromSeed(1) });
    expect(estimate()).toEqual(estimate());
    expect(bootstrapMean([2, 2, 2], { random: Random.fromSeed(1) })).toEqual({ mean: 2, n: 3, low: 2, high: 2 });
    expect(() => bootstrapMean([], { random: Random.fromSeed(1) })).toThrow(/no values/);
  });
});

describe('passAtK', () => {
  it('is the share of samples of size k that hold a right one', () => {
    expect(passAtK(5, 2, 1)).toBeCloseTo(0.4, 12);
    expect(passAtK(5, 2, 2)).toBeCloseTo(0.7, 12);
    expect(passAtK(10, 3, 5)).toBeCloseTo(1 - 21 / 252, 12);
    expect(passAtK(5, 0, 3)).toBe(0);
    expect(passAtK(5, 3, 3)).toBe(1);
    expect(() => passAtK(2, 1, 3)).toThrow(/1 right of 2, k = 3/);
  });
});
