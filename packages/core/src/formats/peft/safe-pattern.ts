// Regular expressions that come from files: Python's syntax, and no chance to hang the process.
import { runInNewContext } from 'node:vm';
import { MemGenError } from '@memgen/common';

const timeLimitMilliseconds = 500;

/** What Python writes differently or JavaScript reads silently as something else. */
const differsFromPython = /\\[AZGNkpP]|\(\?(?![:=!]|<[=!])/;

/**
 * Which of `texts` a pattern matches.
 *
 * @param whole - must the pattern match the whole text (Python's fullmatch), or its end after a dot or the start?
 * @throws MemGenError `peft-pattern` for a pattern that cannot be read or takes too long.
 */
export function matchPattern(pattern: string, texts: readonly string[], whole: boolean): boolean[] {
  const expression = compile(whole ? `^(?:${pattern})$` : `^(?:.*\\.)?(?:${pattern})$`, pattern);
  // Without repetition there is nothing to backtrack over.
  if (/^[\w.]+$/.test(pattern)) return texts.map((text) => expression.test(text));
  try {
    const matched: unknown = runInNewContext(
      'texts.map((text) => expression.test(text))',
      { texts, expression },
      { timeout: timeLimitMilliseconds },
    );
    // The list is made by another realm; copy it into ours.
    return Array.from(texts, (_, i) => Array.isArray(matched) && matched[i] === true);
  } catch (cause) {
    throw patternError(pattern, `it takes more than ${timeLimitMilliseconds} ms`, cause);
  }
}

function compile(source: string, pattern: string): RegExp {
  if (differsFromPython.test(pattern)) throw patternError(pattern, 'it uses syntax that is not supported');
  try {
    // A pattern must be complete in itself, not only inside of the brackets around it.
    new RegExp(pattern);
    return new RegExp(source);
  } catch (cause) {
    throw patternError(pattern, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function patternError(pattern: string, got: string, cause?: unknown): MemGenError {
  return new MemGenError({
    code: 'peft-pattern',
    where: `the pattern ${JSON.stringify(pattern)}`,
    message: 'this regular expression cannot be used',
    got,
    hint: 'list the module names one by one instead',
    cause,
  });
}
