import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Comparison, tolerances } from './compare.js';

function compared(
  ...[got, want, allowed]: [ArrayLike<number>, ArrayLike<number>, Parameters<Comparison['numbers']>[3]]
) {
  const compare = new Comparison();
  compare.numbers('x', got, want, allowed);
  return compare.quantities[0]!;
}

describe('numbers', () => {
  it('pass up to the tolerance and fail beyond it', () => {
    const allowed = { absolute: 0.5, relative: 0.25 };
    expect(compared([10, -3], [8, -4], allowed)).toMatchObject({ error: 2, allowed: 2.5, share: 0.8 });
    expect(compared([10, -3], [8, -4], allowed).problem).toBeUndefined();
    expect(compared([10, -2], [8, -4], allowed)).toMatchObject({ error: 2, allowed: 1.5 });
    expect(compared([10, -2], [8, -4], allowed).problem).toBe('element 1: got -2, expected -4 +- 1.5e+0');
  });

  it('are measured by the expected value, not by what came out', () => {
    expect(compared([1000], [0], { absolute: 0, relative: 1 }).share).toBe(Infinity);
  });

  it('may have a limit of their own each', () => {
    expect(compared([1, 2], [1.1, 3], [0.2, 2]).share).toBeCloseTo(0.5);
    expect(compared([1, 2], [1.1, 3], [0.05, 2]).problem).toMatch(/element 0/);
  });

  it.each([
    ['a NaN', [1, NaN, 1], [1, 1, 1]],
    ['a number where a NaN is expected', [1], [NaN]],
    ['an infinity', [Infinity], [1]],
    ['the other infinity', [-Infinity], [Infinity]],
    ['too few', [1], [1, 2]],
    ['too many', [1, 2], [1]],
    ['none', [], [1]],
  ])('fail for %s', (_, got, want) => {
    expect(compared(got, want, { absolute: 1e30 }).problem).toBeDefined();
  });

  it('pass when infinities and NaNs are the expected ones', () => {
    expect(compared([NaN, Infinity, 0], [NaN, Infinity, 0], { absolute: 0 })).toMatchObject({ error: 0, share: 0 });
    expect(compared([], [], { absolute: 0 }).problem).toBeUndefined();
  });

  it('show the element that is nearest to its limit, not the largest difference', () => {
    expect(compared([100.5, 1e-4], [100, 0], { absolute: 1e-4, relative: 0.1 })).toMatchObject({
      error: 1e-4,
      share: 1,
    });
  });

  it('fail exactly when one element is out of its tolerance', () => {
    const number = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number)), (pairs) => {
        const out = pairs.some(([got, want]) => Math.abs(got - want) > 1 + 0.1 * Math.abs(want));
        const { problem } = compared(
          pairs.map(([got]) => got),
          pairs.map(([, want]) => want),
          { absolute: 1, relative: 0.1 },
        );
        expect(problem !== undefined).toBe(out);
      }),
    );
  });
});

describe('exact', () => {
  const problem = (got: unknown, want: unknown) => {
    const compare = new Comparison();
    compare.exact('x', got, want);
    return compare.failures[0]?.problem;
  };

  it('passes equal things', () => {
    expect(problem([[1, 2], ['a']], [[1, 2], ['a']])).toBeUndefined();
  });

  it('names the first place that differs', () => {
    expect(
      problem(
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 2],
          [3, 5],
        ],
      ),
    ).toBe('[1][1]: got 4, expected 5');
    expect(problem([1, 2], [1])).toBe('[1]: got 2, expected undefined');
    expect(problem('a', 'b')).toBe('got "a", expected "b"');
    expect(problem('x'.repeat(200), '')).toHaveLength('got , expected ""'.length + 80);
  });
});

describe('Comparison', () => {
  it('shows what came nearest to its limit', () => {
    const compare = new Comparison();
    compare.exact('ids', [1], [1]);
    expect(compare.worst).toBeUndefined();
    compare.numbers('loss', [1.000001], [1], tolerances.loss);
    compare.numbers('logits', [1.00005], [1], tolerances.logits);
    compare.numbers('weights', [1], [1], tolerances.stored);
    expect(compare.worst?.name).toBe('logits');
    expect(compare.failures).toEqual([]);
    compare.fail('error', 'it broke');
    expect(compare.failures.map(({ name }) => name)).toEqual(['error']);
  });
});
