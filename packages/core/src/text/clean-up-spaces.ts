// The clean-up of spaces before English punctuation that some tokenizers ask for (`clean_up_tokenization_spaces`).

/** In this order, each over the whole text. */
const replacements: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Removes the spaces that a word-level tokenizer puts before punctuation and contractions. */
export function cleanUpSpaces(text: string): string {
  return replacements.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text);
}

/**
 * Length of the longest start of `text` whose clean-up does not depend on what follows: no replacement reaches over a
 * character that occurs in none of them.
 */
export function settledLength(text: string): number {
  for (let i = text.length; i > 0; i--) {
    if (!" .?!,'ntmsver".includes(text[i - 1]!)) return i;
  }
  return 0;
}
