import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanUpSpaces, settledLength } from './clean-up-spaces.js';

describe('cleanUpSpaces', () => {
  it('closes up punctuation and contractions', () => {
    expect(cleanUpSpaces("I do n't know , but it 's fine . Is ' it ? We 've !")).toBe(
      "I don't know, but it's fine. Is'it? We've!",
    );
    expect(cleanUpSpaces('a  .')).toBe('a .');
  });

  it('can be done piece by piece at the settled length', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from(" .?!,'ntmsverao\n")) });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const cut = settledLength(before);
        const pieces = cleanUpSpaces(before.slice(0, cut)) + cleanUpSpaces(before.slice(cut) + after);
        expect(pieces).toBe(cleanUpSpaces(before + after));
      }),
      { numRuns: 3000 },
    );
  });
});
