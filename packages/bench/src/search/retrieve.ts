// What a retriever is: queries in, passages out.

export interface RetrievedPassage {
  title: string;
  text: string;
  /** Higher is better; comparable within a query only. */
  score: number;
}

/** Passages per query, best first, at most `topK` each. */
export type Retrieve = (
  queries: readonly string[],
  options: { topK: number; signal?: AbortSignal },
) => Promise<RetrievedPassage[][]>;
