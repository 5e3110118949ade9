// Where a text may be interrupted for memory: after a comma, a period or a newline, or at ends of sentences only.

/** The delimiters of MemGen. */
export const delimiters = [',', '.', '\n'] as const;

/**
 * - `reference`: after every comma, period and newline, as in the official code, also inside "3.14" and "1,000".
 * - `sentence`: only where a sentence ends: after `.`, `!` or `?` (with quotation marks and brackets that close behind it)
 *   and after a newline. A period is no end after a digit ("3.14", "1. First"), after a single letter ("e.g.", "J. Smith")
 *   and after a few titles and abbreviations ("Dr.", "vs.", "Fig."). What follows an end directly belongs to it: "...",
 *   "?!" and ".\n" are one end, also when they are several tokens.
 * - `token`: after every token; with a `minimumPointDistance` of n, after every n tokens.
 *
 * All look at the text so far alone, so that generation, which does not know what comes next, and training choose the
 * same places. The price: a sentence that closes with a number ends, under `sentence`, only at the newline behind it.
 */
export type DelimiterRule = 'reference' | 'sentence' | 'token';

const sentenceEnd = /(?:\n|[.!?]["'”’»)\]]*)$/;
const noSentenceEnd =
  /(?:\p{N}|(?<!\p{L})(?:\p{L}|mrs?|ms|drs?|prof|st|vs|cf|figs?|eqs?|approx|jr|sr|inc|ltd|al))\.["'”’»)\]]*$/iu;

/**
 * Whether latents may be woven in behind a text.
 *
 * @param text - the decoded text, or just its end (16 characters are enough).
 * @param rule - default `reference`.
 * @param before - the same without the last token; default none. Only `sentence` looks at it.
 */
export function endsWithDelimiter(text: string, rule: DelimiterRule = 'reference', before = ''): boolean {
  if (rule === 'token') return true;
  if (rule === 'reference') return delimiters.some((delimiter) => text.endsWith(delimiter));
  return endsSentence(text) && !endsSentence(before.replace(/[ \t]+$/, ''));
}

function endsSentence(text: string): boolean {
  return sentenceEnd.test(text) && !noSentenceEnd.test(text);
}
