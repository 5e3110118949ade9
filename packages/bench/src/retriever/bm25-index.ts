// Word search over passages by Okapi BM25, in memory.
import type { RetrievedPassage } from '../search/retrieve.js';
import type { Passage } from './read-corpus.js';

export interface Bm25Options {
  /** How soon further occurrences of a word stop counting. Default 1.2. */
  k1?: number;
  /** How much long passages are marked down, in [0, 1]. Default 0.75. */
  b?: number;
}

/** Where a word occurs: passages, and how often in each. */
interface Postings {
  passages: number[];
  counts: number[];
}

/**
 * Built once from titles and texts. The score of a passage is the sum over the query's words of
 * `idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length))` with `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`
 * (Robertson and Zaragoza 2009; the idf as in Lucene, never negative). Words are runs of letters and digits in lower
 * case, without accents; there are no stop words.
 *
 * Written here because the usual package (minisearch) took eighty times as long for questions in whole sentences.
 */
export class Bm25Index {
  private readonly postings = new Map<string, Postings>();
  /** `k1 * (1 - b + b * length / mean length)` of every passage. */
  private readonly dampings: Float64Array;

  constructor(
    private readonly passages: readonly Passage[],
    private readonly options: Bm25Options = {},
  ) {
    const lengths = passages.map(({ title, text }, passage) => {
      const words = wordsOf(`${title} ${text}`);
      for (const word of words) this.count(word, passage);
      return words.length;
    });
    const { k1 = 1.2, b = 0.75 } = options;
    const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
    this.dampings = Float64Array.from(lengths, (length) => k1 * (1 - b + (b * length) / Math.max(1, mean)));
  }

  get size(): number {
    return this.passages.length;
  }

  /** Passages that hold at least one word of the query, best first; of equal ones the earlier in the corpus. */
  search(query: string, topK: number): (RetrievedPassage & { id: string })[] {
    const { k1 = 1.2 } = this.options;
    const scores = new Float64Array(this.size);
    for (const word of wordsOf(query)) {
      const found = this.postings.get(word);
      if (found === undefined) continue;
      const n = found.passages.length;
      const weight = Math.log(1 + (this.size - n + 0.5) / (n + 0.5)) * (k1 + 1);
      for (let i = 0; i < n; i++) {
        const passage = found.passages[i]!;
        const count = found.counts[i]!;
        scores[passage]! += (weight * count) / (count + this.dampings[passage]!);
      }
    }
    return best(scores, topK).map((passage) => ({ ...this.passages[passage]!, score: scores[passage]! }));
  }

  private count(word: string, passage: number): void {
    const found = this.postings.get(word);
    if (found === undefined) this.postings.set(word, { passages: [passage], counts: [1] });
    else if (found.passages.at(-1) === passage) found.counts[found.counts.length - 1]!++;
    else {
      found.passages.push(passage);
      found.counts.push(1);
    }
  }
}

function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Indices of the `k` largest positive scores, largest first, ties by index. */
function best(scores: Float64Array, k: number): number[] {
  const chosen: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score <= 0 || (chosen.length === k && score <= scores[chosen[k - 1]!]!)) continue;
    let at = chosen.length;
    while (at > 0 && scores[chosen[at - 1]!]! < score) at--;
    chosen.splice(at, 0, i);
    if (chosen.length > k) chosen.pop();
  }
  return chosen;
}
