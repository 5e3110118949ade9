import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findViewProblem, gatherView, isRowMajor, viewSpan, type StridedView } from './strided-view.js';

const view = (shape: number[], strides: number[], offset = 0): StridedView => ({ shape, strides, offset });

describe('findViewProblem', () => {
  it('accepts views whose elements are all different and inside', () => {
    expect(findViewProblem(view([2, 3], [3, 1]), 6)).toBeUndefined();
    expect(findViewProblem(view([3, 2], [1, 3]), 6)).toBeUndefined();
    expect(findViewProblem(view([2, 2], [5, 1], 3), 10)).toBeUndefined();
    expect(findViewProblem(view([], [], 4), 5)).toBeUndefined();
    // The stride of a dimension of one element says nothing.
    expect(findViewProblem(view([1, 4], [0, 1]), 4)).toBeUndefined();
    expect(findViewProblem(view([3, 0], [2 ** 50, 1], 99), 0)).toBeUndefined();
  });

  it('refuses views that reach outside or show an element twice', () => {
    expect(findViewProblem(view([2, 3], [3, 1], 1), 6)?.message).toMatch(/outside/);
    expect(findViewProblem(view([2], [2 ** 53 - 1]), 6)?.message).toMatch(/outside/);
    expect(findViewProblem(view([], [], 5), 5)?.message).toMatch(/outside/);
    expect(findViewProblem(view([2 ** 40], [0]), 6)?.message).toMatch(/more than once/);
    expect(findViewProblem(view([2, 3], [2, 1]), 6)?.message).toMatch(/more than once/);
    expect(findViewProblem(view([2 ** 40, 2 ** 40], [1, 1]), 6)?.message).toMatch(/more than once/);
  });
});

describe('gatherView', () => {
  it('puts any permuted and stepped view into row order', () => {
    const dimensions = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 4 }), step: fc.integer({ min: 1, max: 3 }) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(dimensions, fc.nat(), fc.constantFrom(1, 2, 4, 8), (sizes, turn, bytes) => {
        let next = 1;
        const laid = sizes.map(({ size, step }) => {
          const stride = next * step;
          next = stride * size;
          return { size, stride };
        });
        const turned = laid.map((_, i) => laid[(i + turn) % laid.length]!);
        const strided = view(
          turned.map(({ size }) => size),
          turned.map(({ stride }) => stride),
        );
        expect(findViewProblem(strided, next)).toBeUndefined();
        const span = Uint8Array.from({ length: viewSpan(strided) * bytes }, (_, i) => (i * 7) % 256);
        const expected = positions(strided).flatMap((at) => Array.from(span.subarray(at * bytes, (at + 1) * bytes)));
        expect(Array.from(gatherView(span, strided, bytes))).toEqual(expected);
        const inOrder = positions(strided).every((at, i) => at === i);
        expect(isRowMajor(strided)).toBe(inOrder);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

/** Places of all elements in row order, by the definition of a stride. */
function positions({ shape, strides }: StridedView): number[] {
  return shape.reduce(
    (places, size, i) => places.flatMap((place) => Array.from({ length: size }, (_, j) => place + j * strides[i]!)),
    [0],
  );
}
