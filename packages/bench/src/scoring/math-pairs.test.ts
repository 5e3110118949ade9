import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isEquivalentMathAnswer } from './math-normalization.js';

/** Pairs of our own making; verdicts by a second implementation, in Python, of the steps in the order of the reference. */
const file = join(import.meta.dirname, '__fixtures__/math-pairs.json');
const pairs = JSON.parse(readFileSync(file, 'utf8')) as [string, string, boolean][];

describe('isEquivalentMathAnswer', () => {
  it('agrees with the reference on every pair', () => {
    expect(pairs.length).toBeGreaterThanOrEqual(300);
    // Neither verdict is rare among them, so neither answer would do for all.
    const equal = pairs.filter(([left, right, isEqual]) => isEqual && left !== right).length;
    expect(equal).toBeGreaterThan(100);
    expect(pairs.filter(([, , isEqual]) => !isEqual).length).toBeGreaterThan(100);
    const wrong = pairs.filter(([left, right, isEqual]) => isEquivalentMathAnswer(left, right) !== isEqual);
    expect(wrong).toEqual([]);
  });
});
