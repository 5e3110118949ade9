// Puts a table into a document between two marks, so that no figure in a document is typed by hand.
import { MemGenError } from '@memgen/common';

/**
 * Replaces what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 * @throws MemGenError `bench-document` when the text lacks the marks.
 */
export function replaceBetweenMarks(text: string, name: string, content: string): string {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new MemGenError({
      code: 'bench-document',
      message: 'the document has no place for the table',
      expected: `a line ${begin} and after it a line ${end}`,
      hint: 'add both lines where the table belongs',
    });
  }
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
