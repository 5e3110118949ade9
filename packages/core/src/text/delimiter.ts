// Where a text may be interrupted for memory: after a comma, a period or a newline.

/** The delimiters of MemGen. */
export const delimiters = [',', '.', '\n'] as const;

/**
 * `reference`: every delimiter counts, as in the official code. `sentence`: not inside a number ("3.14", "1,000") or a
 * word ("example.com"), and of a run of delimiters ("...", ".\n") only the last.
 */
export type DelimiterRule = 'reference' | 'sentence';

/**
 * Whether `text` ends with a delimiter after which latents may be woven in.
 *
 * Under `sentence` the answer depends on what comes next: in training the text of the next token, in generation that of
 * the token the model would choose if nothing were woven ({@link needsLookAhead} says when it is worth choosing one).
 *
 * @param text - the decoded text, or just its end.
 * @param rule - default `reference`.
 * @param next - text that follows; default none, which is the end of everything. Ignored under `reference`.
 */
export function endsWithDelimiter(text: string, rule: DelimiterRule = 'reference', next = ''): boolean {
  if (!delimiters.some((delimiter) => text.endsWith(delimiter))) return false;
  if (rule === 'reference') return true;
  const goesOn = text.endsWith('\n') ? /^\n/ : /^[\p{L}\p{N},.\n]/u;
  return !goesOn.test(next);
}

/** Whether {@link endsWithDelimiter} needs the text that comes next. */
export function needsLookAhead(text: string, rule: DelimiterRule): boolean {
  return rule === 'sentence' && endsWithDelimiter(text);
}
