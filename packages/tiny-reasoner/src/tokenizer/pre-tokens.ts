// How a text is cut before byte pairs are merged.

/** Numbers of up to three digits, words, marks (each with one leading blank if there is one), line ends, blanks. */
export const preTokenPattern = String.raw` ?\p{N}{1,3}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\n|\s+`;

/** The pieces of a text, in order; together they are the text. */
export function preTokens(text: string): string[] {
  return text.match(new RegExp(preTokenPattern, 'gu')) ?? [];
}
