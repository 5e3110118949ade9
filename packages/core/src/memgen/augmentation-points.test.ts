// Where latents go into a labelled sequence, and sequences that have no such place.
import { describe, expect, it } from 'vitest';
import { findAugmentationPoints, type AugmentationPoint } from './augmentation-points.js';

/** Letters are tokens; a capital is labelled, a token followed by "." in `text` ends with a delimiter. */
function pointsOf(text: string, maxInferencePoints = 5, minimumPointDistance?: number): AugmentationPoint[] {
  const tokens = [...text.matchAll(/[a-zA-Z]\.?/g)].map(([token]) => token);
  return findAugmentationPoints(
    {
      ids: tokens.map((_, i) => i),
      labels: tokens.map((token, i) => (token[0] === token[0]!.toUpperCase() ? i : -100)),
    },
    {
      maxInferencePoints,
      ...(minimumPointDistance !== undefined && { minimumPointDistance }),
      endsWithDelimiter: (index) => tokens[index]!.endsWith('.'),
    },
  );
}

function inference(...indices: number[]): AugmentationPoint[] {
  return indices.map((index) => ({ index, kind: 'inference' }));
}

describe('findAugmentationPoints', () => {
  it('begins with the first label, whatever stands before it', () => {
    expect(pointsOf('abcDEF')).toEqual([{ index: 3, kind: 'prompt' }]);
    expect(pointsOf('a.b.c.DEF')).toEqual([{ index: 3, kind: 'prompt' }]);
    expect(pointsOf('aB')).toEqual([{ index: 1, kind: 'prompt' }]);
  });

  it('goes on behind each delimiter inside of the labels', () => {
    expect(pointsOf('abC.DE.FG').slice(1)).toEqual(inference(3, 5));
  });

  it('does not weave behind the last token or outside the labels', () => {
    expect(pointsOf('abCD.').slice(1)).toEqual([]);
    expect(pointsOf('abCD.e.f').slice(1)).toEqual([]);
  });

  it.each([0, 1, 2])('stops after %i inference points', (most) => {
    expect(pointsOf('aB.C.D.E', most).slice(1)).toEqual(inference(2, 3).slice(0, most));
  });

  it('keeps the distance that is asked for, from the prompt point on', () => {
    expect(pointsOf('aB.C.D.E.FG').slice(1)).toEqual(inference(2, 3, 4, 5));
    expect(pointsOf('aB.C.D.E.FG', 5, 2).slice(1)).toEqual(inference(3, 5));
    expect(pointsOf('aB.C.D.E.FG', 1, 3).slice(1)).toEqual(inference(4));
  });

  it.each([
    ['no label at all', 'abc', 'no label at all'],
    ['labels from the very first token on', 'ABC', 'spans of labels that begin at 0'],
    ['two spans of labels', 'aBcD', 'spans of labels that begin at 1, 3'],
  ])('refuses %s', (_, text, got) => {
    expect(() => pointsOf(text)).toThrow(expect.objectContaining({ code: 'label-mask', got }));
  });
});
