import { describe, expect, it } from 'vitest';
import { boxedAnswer } from './boxed-answer.js';
import { scoreMath } from './math-score.js';
import { normalizeMathAnswer } from './math-normalization.js';
import { equalRationals, parseRational } from './rational.js';

describe('boxedAnswer', () => {
  it.each([
    ['so \\boxed{42}.', '42', '42'],
    ['\\boxed{1} or \\boxed{2}', '1', '2'],
    ['$\\boxed{\\frac{1}{2^{3}}}$', '\\frac{1}{2^{3}}', '\\frac{1}{2^{3}}'],
    ['$\\boxed 7$ apples', '7', '7'],
    ['$\\boxed 7 + \\boxed{8}$ x', '7 + \\boxed{8}', '8'],
    ['\\fbox{3}', '3', '3'],
    ['\\fbox{3} then \\boxed{4}', '4', '4'],
    ['\\boxed{}', '', ''],
    ['\\boxed{12', undefined, undefined],
    ['\\boxed{1} and \\boxed{2', '1', undefined],
    ['\\boxedx', undefined, undefined],
    ['no box', undefined, undefined],
  ])('reads %j', (text, first, last) => {
    expect(boxedAnswer(text, 'first')).toBe(first);
    expect(boxedAnswer(text, 'last')).toBe(last);
  });
});

describe('normalizeMathAnswer', () => {
  it.each([
    ['1\n2', '12'],
    ['1\\!000', '1000'],
    ['\\dfrac12', '\\frac{1}{2}'],
    ['\\tfrac{3}{4}', '\\frac{3}{4}'],
    ['\\frac1{72}', '\\frac{1}{72}'],
    ['\\frac12+\\frac3x', '\\frac{1}{2}+\\frac{3}{x}'],
    ['\\left( 3, 4 \\right)', '(3,4)'],
    ['90^\\circ', '90'],
    ['90^{\\circ}', '90'],
    ['\\$5', '5'],
    ['5\\text{ cm}', '5'],
    ['50\\%', '50'],
    ['.5', '\\frac{1}{2}'],
    ['-{.75}', '-{0.75}'],
    ['x = 5', '5'],
    ['abc=5', 'abc=5'],
    ['a=b=c', 'a=b=c'],
    ['2\\sqrt3', '2\\sqrt{3}'],
    ['\\sqrt{3}', '\\sqrt{3}'],
    ['0.5', '\\frac{1}{2}'],
    ['3/4', '\\frac{3}{4}'],
    ['-3/4', '\\frac{-3}{4}'],
    ['a/b', 'a/b'],
    ['1,000', '1,000'],
    ['', ''],
  ])('spells %j as %j', (answer, normal) => {
    expect(normalizeMathAnswer(answer)).toBe(normal);
  });
});

describe('parseRational', () => {
  it.each([
    ['1,000', '1000'],
    ['1{,}000', '1000'],
    ['\\$1,234.50', '1234.5'],
    ['0.25', '1/4'],
    ['\\frac{3}{12}', '1/4'],
    ['-\\frac{1}{2}', '-0.5'],
    ['-1/2', '1/-2'],
    ['18.', '18'],
    ['50\\%', '50'],
    ['.5', '1/2'],
    ['0', '-0'],
    ['123456789012345678901234567890', '123456789012345678901234567890.0'],
  ])('takes %j and %j for the same number', (left, right) => {
    const [a, b] = [parseRational(left), parseRational(right)];
    expect(a).toBeDefined();
    expect(a && b && equalRationals(a, b)).toBe(true);
  });

  it.each(['', '.', '1,00', '1,0000', 'x', '1/0', '1 and 2', '(1,2)', '1/2/3', '9'.repeat(201)])(
    'refuses %j',
    (answer) => {
      expect(parseRational(answer)).toBeUndefined();
    },
  );

  it('tells close numbers apart', () => {
    const [a, b] = [parseRational('0.1'), parseRational('0.10000000000000000001')];
    expect(a && b && equalRationals(a, b)).toBe(false);
  });
});

describe('scoreMath', () => {
  it('compares the first box with the last of the solution', () => {
    const solution = 'not \\boxed{1} but \\boxed{1,250}';
    expect(scoreMath('\\boxed{1,250} or \\boxed{3}', solution)).toEqual({
      extracted: '1,250',
      reference: true,
      numeric: true,
    });
    expect(scoreMath('\\boxed{3} or \\boxed{1,250}', solution).numeric).toBe(false);
  });

  it('scores thousands separators by the numeric rule only', () => {
    const solution = '\\boxed{1,250}';
    expect(scoreMath('\\boxed{1250}', solution)).toEqual({ extracted: '1250', reference: false, numeric: true });
    expect(scoreMath('\\boxed{x=1250.00\\text{ nails}}', solution)).toMatchObject({ reference: false, numeric: true });
    expect(scoreMath('\\boxed{1251}', solution)).toMatchObject({ reference: false, numeric: false });
  });

  it('needs a box', () => {
    const none = { extracted: undefined, reference: false, numeric: false };
    expect(scoreMath('The answer is 1,250.', '\\boxed{1,250}')).toEqual(none);
    expect(scoreMath('The answer is 1,250.', '1,250')).toEqual(none);
  });
});
