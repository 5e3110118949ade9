import { describe, expect, it } from 'vitest';
import { formatResult, formatTally } from './report.js';

const logits = { name: 'logits', error: 2.24e-6, allowed: 1e-4, share: 0.0224 };

describe('formatResult', () => {
  it('says name, largest error and time', () => {
    const line = formatResult({ name: 'a/x', outcome: 'passed', worst: logits, failures: [], milliseconds: 12.4 });
    expect(line).toMatch(/^pass {2}a\/x +2\.2e-6 of 1\.0e-4 \(logits\) {2}12 ms$/);
    const exact = formatResult({ name: 'g', outcome: 'passed', worst: undefined, failures: [], milliseconds: 1 });
    expect(exact).toMatch(/ exact {2}1 ms$/);
  });

  it('lists what failed below, but not everything', () => {
    const failures = ['ids: [0]: got 1, expected 2', 'error: first\nsecond', '3', '4', '5', '6', '7'];
    const text = formatResult({ name: 'a', outcome: 'failed', worst: logits, failures, milliseconds: 1 });
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^FAIL {2}a +see below {2}1 ms$/);
    expect(lines.slice(1).map((line) => line.trim())).toEqual([
      failures[0], 'error: first', 'second', '3', '4', '5', 'and 2 more',
    ]); // prettier-ignore
    const large = { ...logits, error: 0.1, share: 1000 };
    const number = formatResult({ name: 'a', outcome: 'failed', worst: large, failures: ['x'], milliseconds: 1 });
    expect(number).toContain('1.0e-1 of 1.0e-4 (logits)');
  });

  it('says why a case was skipped', () => {
    expect(formatResult({ name: 'f', outcome: 'skipped', reason: 'no trainer' })).toMatch(/^skip {2}f +no trainer$/);
  });
});

describe('formatTally', () => {
  it('mentions skipped cases only where there are some', () => {
    expect(formatTally({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(formatTally({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });
});
