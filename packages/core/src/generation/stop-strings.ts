// Finds strings in a text that comes piece by piece, reading each character once (Knuth, Morris and Pratt).

/** Where a string lies, in UTF-16 code units from the start of the whole text. */
export interface StringMatch {
  start: number;
  end: number;
}

interface Pattern {
  text: string;
  /** For each length matched so far: the longest proper prefix that is a suffix of it. */
  fallback: Int32Array;
}

/**
 * Looks for the first of several strings; of those that end at the same place, the longest. What it finds does not
 * depend on the pieces in which the text comes.
 */
export class StopStringFinder {
  private readonly patterns: readonly Pattern[];
  /** How much of each string the text so far ends with. */
  private matched: Int32Array;
  private length = 0;

  /** @param strings - none of them empty. */
  constructor(strings: readonly string[]) {
    this.patterns = strings.map((text) => ({ text, fallback: fallbacks(text) }));
    this.matched = new Int32Array(strings.length);
  }

  /** Reads on; after a match there is nothing more to be read. */
  push(piece: string): StringMatch | undefined {
    const match = this.scan(piece, this.matched);
    this.length += piece.length;
    return match;
  }

  /** What {@link push} would find; nothing is changed. */
  peek(piece: string): StringMatch | undefined {
    return this.scan(piece, this.matched.slice());
  }

  /** Length of the longest end of the text that may be the beginning of one of the strings. */
  get openLength(): number {
    return this.matched.reduce((longest, length) => Math.max(longest, length), 0);
  }

  private scan(piece: string, matched: Int32Array): StringMatch | undefined {
    if (this.patterns.length === 0) return undefined;
    for (let i = 0; i < piece.length; i++) {
      let longest = 0;
      this.patterns.forEach((pattern, p) => {
        matched[p] = advance(pattern, matched[p]!, piece[i]!);
        if (matched[p] === pattern.text.length) longest = Math.max(longest, pattern.text.length);
      });
      const end = this.length + i + 1;
      if (longest > 0) return { start: end - longest, end };
    }
    return undefined;
  }
}

function advance({ text, fallback }: Pattern, matched: number, character: string): number {
  let length = matched;
  while (length > 0 && text[length] !== character) length = fallback[length]!;
  return text[length] === character ? length + 1 : length;
}

function fallbacks(text: string): Int32Array {
  const fallback = new Int32Array(text.length + 1);
  let length = 0;
  for (let i = 1; i < text.length; i++) {
    while (length > 0 && text[i] !== text[length]) length = fallback[length]!;
    if (text[i] === text[length]) length++;
    fallback[i + 1] = length;
  }
  return fallback;
}
