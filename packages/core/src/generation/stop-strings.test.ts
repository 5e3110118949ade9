// Stop strings: found wherever they begin and end, and however the text is cut into pieces.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopStringFinder } from './stop-strings.js';

const letters = fc.constantFrom('a', 'b', 'c');

describe('StopStringFinder', () => {
  it('finds what a search in the whole text finds, for any pieces', () => {
    const cases = fc.record({
      strings: fc.array(fc.string({ unit: letters, minLength: 1, maxLength: 5 }), { maxLength: 3 }),
      pieces: fc.array(fc.string({ unit: letters, maxLength: 4 }), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(cases, ({ strings, pieces }) => {
        const finder = new StopStringFinder(strings);
        let text = '';
        for (const piece of pieces) {
          const peeked = finder.peek(piece);
          const found = finder.push(piece);
          expect(peeked).toEqual(found);
          text += piece;
          expect(found).toEqual(search(text, strings));
          if (found !== undefined) return;
          expect(finder.openLength).toBe(openLength(text, strings));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads each character once, also of texts that nearly match all the time', () => {
    const finder = new StopStringFinder([`${'a'.repeat(20_000)}b`]);
    const start = performance.now();
    let found = 0;
    for (let i = 0; i < 200_000; i++) if (finder.push('a') !== undefined) found++;
    expect(found).toBe(0);
    expect(finder.push('b')).toEqual({ start: 180_000, end: 200_001 });
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

function search(text: string, strings: readonly string[]): { start: number; end: number } | undefined {
  for (let end = 1; end <= text.length; end++) {
    const found = strings.filter((string) => text.slice(0, end).endsWith(string)).map(({ length }) => length);
    if (found.length > 0) return { start: end - Math.max(...found), end };
  }
  return undefined;
}

function openLength(text: string, strings: readonly string[]): number {
  const lengths = strings.flatMap((string) => Array.from(string, (_, length) => length));
  return Math.max(0, ...lengths.filter((length) => strings.some((s) => length < s.length && text.endsWith(s.slice(0, length))))); // prettier-ignore
}
