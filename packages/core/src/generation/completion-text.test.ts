// The text of a completion: what is given out when, and where it ends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from '../text/__fixtures__/small-tokenizer.js';
import { CompletionText, type CompletionTextOptions } from './completion-text.js';

const tokenizer = smallTokenizer();
const end = tokenizer.idOf('<|im_end|>')!;

function open(options: Partial<CompletionTextOptions> = {}, by = tokenizer): CompletionText {
  return new CompletionText(by, { stopStrings: [], keepStopString: false, skipSpecialTokens: true, ...options });
}

/** Pieces as they are given out, until it stops; then what was held back. */
function pieces(text: CompletionText, ids: readonly number[]): string[] {
  const given: string[] = [];
  for (const id of ids) {
    if (text.stopped) break;
    given.push(text.push(id));
  }
  return [...given, text.finish()];
}

describe('CompletionText', () => {
  it('gives out each character when it is complete, and the rest at the end', () => {
    expect(pieces(open(), tokenizer.encode('a€b'))).toEqual(['a', '', '', '€', 'b', '']);
    expect(pieces(open(), tokenizer.encode('a€').slice(0, 2))).toEqual(['a', '', '\ufffd']);
  });

  it('leaves special tokens out, or shows them', () => {
    const ids = [...tokenizer.encode('a'), end, ...tokenizer.encode('b')];
    expect(pieces(open(), ids)).toEqual(['a', '', 'b', '']);
    expect(pieces(open({ skipSpecialTokens: false }), ids)).toEqual(['a', '<|im_end|>', 'b', '']);
    expect(pieces(open({ skipSpecialTokens: false, stopStrings: ['<|im_end|>'] }), ids)).toEqual(['a', '', '']);
  });

  it('holds back what may begin a stop string, and cuts it off', () => {
    const ids = tokenizer.encode('x##y###z');
    expect(pieces(open({ stopStrings: ['###'] }), ids)).toEqual(['x', '', '', '##y', '', '', '', '']);
    expect(pieces(open({ stopStrings: ['###'], keepStopString: true }), ids)).toEqual(['x', '', '', '##y', '', '', '###', '']); // prettier-ignore
    expect(pieces(open({ stopStrings: ['####'] }), ids).join('')).toBe('x##y###z');
  });

  it('finds a stop string within one token and across tokens, and drops what follows in the token', () => {
    // "hello" is one token, "\n\n" another.
    expect(pieces(open({ stopStrings: ['ell'] }), tokenizer.encode('1hello'))).toEqual(['1', 'h', '']);
    expect(pieces(open({ stopStrings: ['lo\n'] }), tokenizer.encode('hello\n\n'))).toEqual(['hel', '', '']);
  });

  it('finds it at once where spaces may yet be cleaned up', () => {
    const cleaning = smallTokenizer({ config: { clean_up_tokenization_spaces: true } });
    expect(pieces(open({ stopStrings: ['.'] }, cleaning), cleaning.encode('ab .'))).toEqual(['a', 'b', '', '', '']);
  });

  it('joins to the decoded text up to the first stop string, for any ids', () => {
    const cases = fc.record({
      ids: fc.array(fc.oneof(fc.nat(tokenizer.vocabularySize - 1), fc.constantFrom(...tokenizer.encode('ab.'))), { maxLength: 30 }),
      stopStrings: fc.array(fc.constantFrom('ab', 'b.', '.a', 'aab', 'hello'), { maxLength: 2 }),
    }); // prettier-ignore
    fc.assert(
      fc.property(cases, ({ ids, stopStrings }) => {
        const text = open({ stopStrings });
        const given = pieces(text, ids).join('');
        expect(text.text).toBe(given);
        const whole = tokenizer.decode(ids, { skipSpecialTokens: true });
        const ends = stopStrings.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        expect(whole.startsWith(given)).toBe(true);
        // Of overlapping ones, the first to end counts.
        expect(given.length).toBeGreaterThanOrEqual(Math.min(whole.length, ...ends));
        for (const stop of stopStrings) expect(given).not.toContain(stop);
        if (ends.length === 0) expect(given).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });
});
